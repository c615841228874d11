// Raw frames: the shortest way to ask a model over TCP. docs/raw_protocol.md is the specification.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "maas/wire/message.h"
#include "maas/wire/status.h"

namespace maas::wire {

inline constexpr uint8_t kFrameVersion = 1;
inline constexpr size_t kFrameHead = 32;
inline constexpr uint8_t kAnswerBit = 0x80;

enum class FrameKind : uint8_t { kInfer = 1, kPing = 2, kMetadata = 3, kAuth = 4 };

// Numbers of answers' status field: never change one. 0 is success.
uint16_t frame_status(ErrorCode code);

struct FrameHead {
  uint8_t kind = 0;  // of an answer with kAnswerBit
  uint16_t status = 0;
  uint64_t id = 0;
};

enum class FrameState : uint8_t { kNeedMore, kWhole, kBad };

// Looks at the front of `bytes`. kWhole: `size` bytes are one frame. kNeedMore: `size` is the frame's where
// that is known already, else 0. kBad: not of this protocol, or longer than `limit`: answer and close.
FrameState find_frame(std::string_view bytes, size_t limit, size_t& size, Status& status);

// `frame`: one whole frame. The caller has cleared the request; tensors of numbers point into the frame.
Status decode_frame(std::string_view frame, FrameHead& head, Request& request);

// Whether a whole frame begins and ends as another one does, but for id and timeout. `begins`: its head at
// least.
bool has_form(std::string_view frame, std::string_view begins, std::string_view ends);

// Of a whole frame.
uint64_t frame_id(std::string_view frame);
uint32_t frame_timeout_us(std::string_view frame);

// Appends a frame: an answer, or, with `kind` of a request, a request for all outputs.
void encode_frame(const FrameHead& head, uint32_t timeout_us, const Answer& answer, std::string& out);

// Appends an answer that carries an error's text.
void encode_frame_error(const FrameHead& head, ErrorCode code, std::string_view text, std::string& out);

}  // namespace maas::wire

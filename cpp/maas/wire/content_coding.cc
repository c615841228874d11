#include "maas/wire/content_coding.h"

#include <zlib.h>

#include <algorithm>

#include "maas/wire/infer_decoder.h"

namespace maas::wire {

namespace {

constexpr int kGzipWindow = 15 + 16, kZlibWindow = 15;  // zlib's way to say which wrapper
constexpr size_t kPiece = 64 << 10;
constexpr size_t kMostInput = size_t{1} << 30;  // of one call: zlib counts in 32 bits

Status bad_body(const char* coding) { return invalid(std::string("expected a body in ") + coding); }

struct Inflater {
  z_stream stream = {};
  bool ready;
  explicit Inflater(int window) : ready(inflateInit2(&stream, window) == Z_OK) {}
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
};

struct Deflater {
  z_stream stream = {};
  bool ready;
  explicit Deflater(int window)
      : ready(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) == Z_OK) {}
  ~Deflater() {
    if (ready) deflateEnd(&stream);
  }
};

void give(z_stream& stream, std::string_view bytes) {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
}

// Room for `size` bytes; twice as much as there was, but never more than `most`. False where it is refused.
bool make_room(std::string& out, size_t size, size_t most, const MayTake& may_take) {
  if (size <= out.capacity()) return true;
  const size_t room = std::min(std::max(size, 2 * out.capacity()), most);
  if (room > kKeptBytes && may_take && !may_take(room - out.capacity())) return false;
  out.reserve(room);
  return true;
}

}  // namespace

Status expand(std::string_view bytes, ContentCoding coding, size_t limit, std::string& out,
              const MayTake& may_take) {
  const bool gzip = coding == ContentCoding::kGzip;
  const char* name = gzip ? "gzip" : "deflate";
  if (bytes.size() > kMostInput) return invalid("expected a smaller body");
  Inflater inflater(gzip ? kGzipWindow : kZlibWindow);
  if (!inflater.ready) return {ErrorCode::kOverloaded, "no memory for this request"};
  z_stream& stream = inflater.stream;
  give(stream, bytes);
  out.clear();
  while (true) {
    const size_t made = out.size();
    const size_t piece =
        std::min(kPiece, limit - made + 1);  // one more than allowed tells that there is more
    if (!make_room(out, made + piece, limit + 1 + kBodyPadding, may_take))
      return {ErrorCode::kOverloaded, "no memory for this body now: try again later"};
    out.resize(made + piece);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + made);
    stream.avail_out = static_cast<uInt>(piece);
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.resize(made + piece - stream.avail_out);
    if (out.size() > limit) {
      return invalid("expected a body of at most " + std::to_string(limit) + " bytes when expanded");
    }
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0) return {};
      if (!gzip || inflateReset(&stream) != Z_OK) return bad_body(name);
      continue;
    }
    if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) return bad_body(name);
  }
}

Status compress(std::string_view bytes, ContentCoding coding, std::string& out) {
  Deflater deflater(coding == ContentCoding::kGzip ? kGzipWindow : kZlibWindow);
  if (!deflater.ready || bytes.size() > kMostInput)
    return {ErrorCode::kOverloaded, "no memory for this answer"};
  z_stream& stream = deflater.stream;
  give(stream, bytes);
  const size_t start = out.size();
  const size_t most = deflateBound(&stream, static_cast<uLong>(bytes.size()));
  out.resize(start + most);
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + start);
  stream.avail_out = static_cast<uInt>(most);
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
    return {ErrorCode::kInternal, "the answer does not compress"};
  out.resize(start + most - stream.avail_out);
  return {};
}

}  // namespace maas::wire

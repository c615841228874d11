// One connection's requests and answers in one protocol, without its socket.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace maas::serve {

class Conversation {
 public:
  virtual ~Conversation() = default;

  // Takes whole requests off the front of `bytes` and returns how many bytes they took. What is left is given
  // again with more behind it, at whatever place. `bytes` must stay where they are until answered() and are
  // followed by wire::kBodyPadding readable ones.
  virtual size_t read(std::string_view bytes) = 0;

  // Whether every request that was read has its answer in out(). Until then read() is not called.
  virtual bool answered() const = 0;
  // Bytes to send; the caller takes them.
  std::string& out() { return out_; }
  // Whether the connection ends when they are sent.
  bool ends() const { return ends_; }
  // Bytes that the request at the front takes in all, where known; else 0.
  virtual size_t wanted() const = 0;
  // Whether the head of the request at the front is known, but not all of its body is here.
  virtual bool in_body() const = 0;

  // Answers the request at the front that there is no memory for it, and ends; between read()s.
  virtual void turn_away() = 0;
  // Answers the request at the front, of which a part is here, that it took too long to come, and ends;
  // between read()s.
  virtual void expire() = 0;
  // From now on only health is answered: the server has too many connections.
  void set_crowded() { crowded_ = true; }
  // The server stops: the answer to the last request that is here says that the connection ends, where the
  // protocol has words for it.
  void set_draining() { draining_ = true; }

  // Called when answered() has become true after read() returned without it.
  void when_answered(std::function<void()> call) { when_answered_ = std::move(call); }

 protected:
  std::string out_;
  bool ends_ = false, crowded_ = false, draining_ = false;
  std::function<void()> when_answered_;
};

}  // namespace maas::serve

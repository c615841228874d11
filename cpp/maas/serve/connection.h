// A socket and its conversation: bytes in, answers out, one after the other. Asio only here, in server.cc and
// in tls.cc.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>  // Asio of Boost 1.74 needs it first in C++20

#include "maas/serve/buffer_pool.h"
#include "maas/serve/conversation.h"
#include "maas/serve/load.h"
#include "maas/serve/options.h"
#include "maas/wire/infer_decoder.h"

namespace maas::serve {

// What the server knows of a connection, whatever it speaks. Used on its own loop's thread.
class AnyConnection {
 public:
  virtual ~AnyConnection() = default;
  // Ends when what has come is answered. A request that its client may just be sending is waited for, unless
  // `at_once`.
  virtual void drain(bool at_once) = 0;
  // Ends at once, on a loop that no longer runs: answers that are still made elsewhere never come.
  virtual void abandon() = 0;
  // Once a second: ends a connection whose client takes too long.
  virtual void look() = 0;
};

// What connections of one loop share with it.
struct Surroundings {
  const ServerOptions& options;
  Load& load;
  BufferPool& buffers;
  const uint32_t& second;  // counted by the loop
};

using PlainStream = boost::asio::ip::tcp::socket;
using TlsStream = boost::asio::ssl::stream<PlainStream>;

// Lives as long as an operation on its socket is under way or its conversation waits for an answer.
template <class Stream>
class Connection final : public AnyConnection, public std::enable_shared_from_this<Connection<Stream>> {
 public:
  template <class... Args>
  Connection(const Surroundings& around, std::unique_ptr<Conversation> conversation, Args&&... stream)
      : around_(around),
        stream_(std::forward<Args>(stream)...),
        conversation_(std::move(conversation)),
        share_(around.load, around.options.memory_bytes) {
    around_.load.connections.fetch_add(1, std::memory_order_relaxed);
  }
  ~Connection() override { around_.load.connections.fetch_sub(1, std::memory_order_relaxed); }

  void drain(bool at_once) override {
    conversation_->set_draining();
    leaving_ = at_once;
    if (!at_once) return;
    const bool idle = wait_ == Wait::kRequest && end_ == 0;
    Error error;
    owed_ = socket().available(error);
    if (idle && owed_ > 0) return;  // requests that this loop has not read yet
    if (idle || wait_ == Wait::kHandshake || wait_ == Wait::kEnd) close();
  }

  void abandon() override {
    close();
    waiting_.reset();
  }

  void look() override {
    if (around_.second - since_ <= patience()) return;
    if (wait_ != Wait::kRequest || end_ == 0) return close();  // its operation ends, and with it all
    Error error;
    expired_ = true;
    socket().cancel(error);  // its read ends, which tells the client why
  }

  void start() {
    // The last reference may go with this call, and then all of this: nothing is touched behind it.
    conversation_->when_answered([this] {
      const auto self = std::move(waiting_);
      guarded([this] {
        if (send()) converse();
      });
    });
    if constexpr (kTls) {
      enter(Wait::kHandshake);
      stream_.async_handshake(boost::asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](Error error) {
                                if (!error) self->guarded([&] { self->receive(); });
                              });
    } else {
      guarded([this] { receive(); });
    }
  }

 private:
  using Error = boost::system::error_code;
  enum class Wait : uint8_t { kHandshake, kRequest, kAnswer, kWrite, kEnd };
  static constexpr bool kTls = !std::is_same_v<Stream, PlainStream>;
  static constexpr size_t kFirst = 4096;
  static constexpr size_t kAlways = 32 << 10;  // a buffer that large is had also above the memory ceiling,
                                               // and kept from one request to the next
  static constexpr uint32_t kLinger = 2;       // seconds for a client to read a last answer

  PlainStream& socket() {
    if constexpr (kTls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  // Whether bytes that had come when the server's patience ended are still to be read.
  bool owes_answers() {
    Error error;
    return owed_ > 0 && socket().available(error) > 0;
  }

  void close() {
    Error error;
    socket().shutdown(PlainStream::shutdown_both, error);
    socket().close(error);
  }

  void enter(Wait wait) {
    wait_ = wait;
    since_ = around_.second;
  }

  uint32_t patience() const {
    const ServerOptions& options = around_.options;
    switch (wait_) {
      case Wait::kHandshake: return options.head_seconds;
      case Wait::kRequest:
        return end_ == 0 ? options.idle_seconds : in_body_ ? options.body_seconds : options.head_seconds;
      case Wait::kWrite: return options.write_seconds;
      case Wait::kEnd: return kLinger;
      case Wait::kAnswer: break;  // ours to give
    }
    return std::numeric_limits<uint32_t>::max();
  }

  // Without memory the connection ends; while calls of its are under way it stays for them to be answered.
  template <class Work>
  void guarded(Work&& work) {
    try {
      work();
    } catch (const std::bad_alloc&) {
      close();
      if (!conversation_->answered()) wait_for_answer();
    }
  }

  void wait_for_answer() {
    wait_ = Wait::kAnswer;
    waiting_ = this->shared_from_this();
  }

  void receive() {
    if (leaving_ && end_ == 0 && !owes_answers()) return close();
    const bool goes_on =
        wait_ == Wait::kRequest && end_ > 0 && begun_ && in_body_ == conversation_->in_body();
    if (!goes_on) enter(Wait::kRequest);  // else its time runs on
    begun_ = end_ > 0;
    in_body_ = conversation_->in_body();
    if (!make_room()) {
      conversation_->turn_away();
      if (send()) close();
      return;
    }
    stream_.async_read_some(boost::asio::buffer(bytes_.get() + end_, size_ - end_ - wire::kBodyPadding),
                            [self = this->shared_from_this()](Error error, size_t count) {
                              if (self->expired_) return self->guarded([&] { self->expire(); });
                              if (error) return;
                              self->end_ += count;
                              self->owed_ -= std::min(self->owed_, count);
                              self->filled_ = self->end_ + wire::kBodyPadding == self->size_;
                              self->guarded([&] { self->converse(); });
                            });
  }

  void expire() {
    conversation_->expire();
    send();
  }

  // Answers what is whole, then waits for more bytes, for an answer or for the socket to take one.
  void converse() {
    while (true) {
      const size_t taken = conversation_->read({bytes_.get() + begin_, end_ - begin_});
      begin_ += taken;
      if (taken > 0) begun_ = false;
      if (!conversation_->answered()) return wait_for_answer();
      if (!send()) return;
      if (taken == 0 || begin_ == end_) break;
    }
    compact();
    receive();
  }

  // True where all is sent and the connection goes on; else it goes on, or ends, later.
  bool send() {
    sending_.clear();
    sending_.swap(conversation_->out());
    sent_ = 0;
    if constexpr (!kTls) {
      Error error;  // most answers fit the socket's buffer: no wait, no handler
      if (!sending_.empty()) sent_ = stream_.write_some(boost::asio::buffer(sending_), error);
      if (error && error != boost::asio::error::would_block) {
        close();
        return false;
      }
    }
    if (sent_ < sending_.size()) {
      count_bytes();
      write_rest();
      return false;
    }
    give_back();
    if (conversation_->ends()) end();
    return !conversation_->ends();
  }

  void write_rest() {
    enter(Wait::kWrite);
    stream_.async_write_some(boost::asio::buffer(sending_.data() + sent_, sending_.size() - sent_),
                             [self = this->shared_from_this()](Error error, size_t count) {
                               if (error) return;
                               self->sent_ += count;
                               self->guarded([&] {
                                 if (self->sent_ < self->sending_.size()) return self->write_rest();
                                 self->give_back();
                                 self->conversation_->ends() ? self->end() : self->converse();
                               });
                             });
  }

  // The last answer is sent. Closed with bytes unread, the socket would take the answer back (a TCP reset),
  // so what the client still sends is read and thrown away for a moment.
  void end() {
    if (leaving_) return close();
    enter(Wait::kEnd);
    if constexpr (kTls) {
      stream_.async_shutdown([self = this->shared_from_this()](Error) { self->linger(); });
    } else {
      linger();
    }
  }

  void linger() {
    Error error;
    socket().shutdown(PlainStream::shutdown_send, error);
    if (!error) throw_away();
  }

  void throw_away() {
    socket().async_read_some(boost::asio::buffer(bytes_.get(), size_),
                             [self = this->shared_from_this()](Error error, size_t) {
                               if (!error) self->throw_away();
                             });
  }

  void compact() {
    if (begin_ < end_ && begin_ > 0) std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }

  // Grows with what has come, not with what is claimed. False where all connections hold too much already.
  bool make_room() {
    const size_t least = end_ + kFirst / 2 + wire::kBodyPadding;
    const bool too_large = end_ == 0 && size_ > kAlways;
    const bool too_small = end_ == 0 && filled_ && size_ < kAlways;  // for a client that sends many at once
    if (size_ >= least && !too_large && !too_small) return true;
    const size_t known = conversation_->wanted();
    const size_t wanted = known > 0 ? std::max(known + wire::kBodyPadding, least) : 2 * least;
    const size_t size = too_small ? kAlways : std::max(kFirst, std::min(wanted, 4 * end_ + least));
    if (size <= kAlways) {
      set_buffer({std::make_unique_for_overwrite<char[]>(size), size});
      return true;
    }
    Buffer buffer = around_.buffers.take(size);
    if (!share_.grow_to(buffer.size)) return false;
    set_buffer(std::move(buffer));
    return true;
  }

  void set_buffer(Buffer buffer) {
    if (end_ > 0) std::memcpy(buffer.bytes.get(), bytes_.get(), end_);
    std::swap(bytes_, buffer.bytes);
    std::swap(size_, buffer.size);
    if (buffer.size > kAlways) around_.buffers.give(std::move(buffer));
    count_bytes();
  }

  void count_bytes() {
    const size_t bytes = size_ + sending_.capacity();
    share_.hold(bytes > kAlways ? bytes : 0);
  }

  void give_back() {
    if (sending_.capacity() <= kAlways) return;
    std::string().swap(sending_);
    count_bytes();
  }

  const Surroundings& around_;
  Stream stream_;
  std::unique_ptr<Conversation> conversation_;
  Share share_;
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0, begin_ = 0, end_ = 0;
  Wait wait_ = Wait::kRequest;
  bool leaving_ = false, begun_ = false, in_body_ = false;  // begun_: bytes of this request are here
  bool expired_ = false;                                    // they came too slowly
  bool filled_ = false;                                     // the latest read took all there was room for
  uint32_t since_ = 0;                                      // second of the loop
  std::string sending_;
  size_t sent_ = 0;
  size_t owed_ = 0;                      // bytes; over TLS fewer are read than came
  std::shared_ptr<Connection> waiting_;  // itself, while an answer is being made elsewhere
};

}  // namespace maas::serve

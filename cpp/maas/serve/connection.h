// A socket and its conversation: bytes in, answers out, one after the other. Asio only here and in server.cc.
#pragma once

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>  // Asio of Boost 1.74 needs it first in C++20

#include "maas/serve/conversation.h"
#include "maas/wire/infer_decoder.h"

namespace maas::serve {

// What the server knows of a connection, whatever it speaks. Used on its own loop's thread.
class AnyConnection {
 public:
  virtual ~AnyConnection() = default;
  // Ends when what has come is answered; at once where nothing has.
  virtual void drain() = 0;
  // Ends at once, on a loop that no longer runs: answers that are still made elsewhere never come.
  virtual void abandon() = 0;
};

// Lives as long as an operation on its socket is under way or its conversation waits for an answer.
template <class Stream>
class Connection final : public AnyConnection, public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(Stream stream, std::unique_ptr<Conversation> conversation)
      : stream_(std::move(stream)), conversation_(std::move(conversation)) {}

  void drain() override {
    draining_ = true;
    if (idle_ && end_ == 0) close();
  }

  void abandon() override {
    close();
    waiting_.reset();
  }

  void start() {
    conversation_->when_answered([this] {
      const auto self = std::move(waiting_);
      if (send()) converse();
    });
    receive();
  }

 private:
  using Error = boost::system::error_code;
  static constexpr size_t kFirst = 4096;
  static constexpr size_t kLargeKept = 1 << 20;  // a larger buffer is given back after its request

  void close() {
    Error error;
    stream_.lowest_layer().shutdown(boost::asio::ip::tcp::socket::shutdown_both, error);
    stream_.lowest_layer().close(error);
  }

  void receive() {
    if (draining_ && end_ == 0) return;  // the socket closes with the last reference
    make_room();
    idle_ = true;
    stream_.async_read_some(boost::asio::buffer(bytes_.get() + end_, size_ - end_ - wire::kBodyPadding),
                            [self = this->shared_from_this()](Error error, size_t count) {
                              self->idle_ = false;
                              if (error) return;
                              self->end_ += count;
                              self->converse();
                            });
  }

  // Answers what is whole, then waits for more bytes, for an answer or for the socket to take one.
  void converse() {
    while (true) {
      const size_t taken = conversation_->read({bytes_.get() + begin_, end_ - begin_});
      begin_ += taken;
      if (!conversation_->answered()) {
        waiting_ = this->shared_from_this();
        return;
      }
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
    size_t sent = 0;
    if constexpr (std::is_same_v<Stream, boost::asio::ip::tcp::socket>) {
      Error error;  // most answers fit the socket's buffer: no wait, no handler
      if (!sending_.empty()) sent = stream_.write_some(boost::asio::buffer(sending_), error);
      if (error && error != boost::asio::error::would_block) return false;
    }
    if (sent == sending_.size()) return !conversation_->ends();
    boost::asio::async_write(stream_, boost::asio::buffer(sending_.data() + sent, sending_.size() - sent),
                             [self = this->shared_from_this()](Error error, size_t) {
                               if (!error && !self->conversation_->ends()) self->converse();
                             });
    return false;
  }

  void compact() {
    if (begin_ < end_ && begin_ > 0) std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }

  // Grows with what has come, not with what is claimed.
  void make_room() {
    const size_t least = end_ + kFirst / 2 + wire::kBodyPadding;
    const bool too_large = end_ == 0 && size_ > kLargeKept;
    if (size_ >= least && !too_large) return;
    const size_t wanted = std::max(conversation_->wanted() + wire::kBodyPadding, least);
    const size_t size = std::max(kFirst, std::min(wanted, 4 * end_ + least));
    auto bytes = std::make_unique_for_overwrite<char[]>(size);
    if (end_ > 0) std::memcpy(bytes.get(), bytes_.get(), end_);
    bytes_ = std::move(bytes);
    size_ = size;
  }

  Stream stream_;
  std::unique_ptr<Conversation> conversation_;
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0, begin_ = 0, end_ = 0;
  bool idle_ = false, draining_ = false;
  std::string sending_;
  std::shared_ptr<Connection> waiting_;  // itself, while an answer is being made elsewhere
};

}  // namespace maas::serve

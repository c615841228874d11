// A blocking client with plain sockets, for tests of the server over real ones.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace maas::serve {

class Client {
 public:
  explicit Client(int port, int receive_buffer = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(int));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  Client(Client&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)),
        connected_(other.connected_),
        held_(std::move(other.held_)) {}
  ~Client() {
    if (socket_ >= 0) ::close(socket_);
  }

  bool connected() const { return connected_; }

  // False where the server does not take it all in `seconds`.
  bool send(std::string_view bytes, double seconds = 60) {
    while (!bytes.empty()) {
      if (!ready(POLLOUT, seconds)) return false;
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }

  // All until the server closes; what has come where it does not in `seconds`.
  std::string read_all(double seconds = 60) {
    while (read_some(seconds)) {
    }
    return std::exchange(held_, {});
  }

  // What comes next, as the socket gives it; "" where nothing does.
  std::string read_more(double seconds = 10) {
    if (held_.empty()) read_some(seconds);
    return std::exchange(held_, {});
  }

  // One whole answer of HTTP with a Content-Length; "" where none comes.
  std::string read_http(double seconds = 60) {
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    while (true) {
      const size_t end = held_.find("\r\n\r\n");
      const size_t length = held_.find(kLength);
      if (end != std::string::npos && length < end) {
        const size_t size = end + 4 + std::stoul(held_.substr(length + kLength.size()));
        if (held_.size() >= size) {
          std::string answer = held_.substr(0, size);
          held_.erase(0, size);
          return answer;
        }
      }
      if (!read_some(seconds)) return "";
    }
  }

  // Whether that text has come by now.
  bool said(std::string_view text) {
    while (read_some(0.001)) {
    }
    return held_.find(text) != std::string::npos;
  }

  std::string ask(std::string_view request) { return send(request) ? read_http() : ""; }

  // Whether the server closes within `seconds`, whatever comes before.
  bool closes(double seconds = 60) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (read_some(std::chrono::duration<double>(end - std::chrono::steady_clock::now()).count())) {
    }
    return closed_;
  }

 private:
  bool ready(short events, double seconds) {
    pollfd file = {socket_, events, 0};
    return seconds > 0 && ::poll(&file, 1, static_cast<int>(1000 * seconds)) == 1;
  }

  bool read_some(double seconds) {
    if (closed_ || !ready(POLLIN, seconds)) return false;
    char bytes[1 << 16];
    const ssize_t count = ::recv(socket_, bytes, sizeof(bytes), 0);
    closed_ = count <= 0;
    if (count > 0) held_.append(bytes, static_cast<size_t>(count));
    return !closed_;
  }

  int socket_;
  bool connected_ = false, closed_ = false;
  std::string held_;
};

}  // namespace maas::serve

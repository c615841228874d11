#include "maas/serve/server.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>  // Asio of Boost 1.74 needs it first in C++20
#include <vector>

#include "maas/base/error.h"
#include "maas/serve/batch.h"
#include "maas/serve/connection.h"
#include "maas/serve/http_conversation.h"
#include "maas/serve/raw_conversation.h"
#include "maas/serve/worker.h"

namespace maas::serve {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds kAcceptPause{100};  // after an error such as no descriptor left

}  // namespace

struct Server::Impl {
  explicit Impl(ServerOptions given)
      : options(std::move(given)),
        compute(static_cast<size_t>(options.compute_threads)),
        control(options.control_requests, options.control_bytes) {}

  // A thread of the server: its own event loop, the connections that it was given, what it works with.
  struct Loop {
    explicit Loop(Impl& server)
        : worker(
              server.options, server.models, [this] { asio::post(context, [this] { worker.flush(); }); },
              [this, &server](Call& call) { return server.run_elsewhere(call, *this); },
              server.ask_control(context), &server.readiness, server.counters.back()) {}
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> open{context.get_executor()};
    Worker worker;
    std::vector<std::weak_ptr<AnyConnection>> connections;  // tidied as it grows
    size_t tidy_at = 64;
    std::thread thread;

    void keep(std::weak_ptr<AnyConnection> connection);
    void drain();
    void abandon();
    void run();
    void wait(Clock::time_point end);

   private:
    std::mutex mutex;
    std::condition_variable ended;
    bool is_ended = false;
  };

  struct Listener {
    explicit Listener(asio::io_context& context) : acceptor(context), pause(context) {}
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    bool raw = false;
  };

  void listen(int port, bool raw);
  void accept(Listener& listener);
  void welcome(tcp::socket socket, Loop& loop, bool raw);
  bool run_elsewhere(Call& call, Loop& loop);
  Worker::AskControl ask_control(asio::io_context& back);

  ServerOptions options;
  ModelTable models;
  std::vector<std::shared_ptr<Counters>> counters;  // one a loop; they stay when it is gone
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<std::unique_ptr<Listener>> listeners;  // on the first loop
  asio::thread_pool compute;
  ControlQueue control;
  Readiness readiness;
  std::mutex counters_mutex;
  std::atomic<size_t> large_rows{0};
  size_t next_loop = 0;
  int http_port = -1, tcp_port = -1;
  bool running = false;
};

void Server::Impl::listen(int port, bool raw) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.host, error);
  auto listener = std::make_unique<Listener>(loops[0]->context);
  listener->raw = raw;
  const tcp::endpoint endpoint(address, static_cast<uint16_t>(port));
  tcp::acceptor& acceptor = listener->acceptor;
  if (!error) acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    throw_invalid("serve", "expected an address to listen on, got " + options.host + ":" +
                               std::to_string(port) + ": " + error.message());
  }
  (raw ? tcp_port : http_port) = acceptor.local_endpoint().port();
  listeners.push_back(std::move(listener));
}

void Server::Impl::accept(Listener& listener) {
  Loop& loop = *loops[next_loop++ % loops.size()];
  listener.acceptor.async_accept(loop.context, [&](boost::system::error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      welcome(std::move(socket), loop, listener.raw);
      return accept(listener);
    }
    listener.pause.expires_after(kAcceptPause);
    listener.pause.async_wait([&](boost::system::error_code stopped) {
      if (!stopped) accept(listener);
    });
  });
}

void Server::Impl::welcome(tcp::socket socket, Loop& loop, bool raw) {
  boost::system::error_code error;
  socket.set_option(tcp::no_delay(true), error);
  socket.non_blocking(true, error);
  std::unique_ptr<Conversation> conversation;
  if (raw) {
    conversation = std::make_unique<RawConversation>(loop.worker);
  } else {
    conversation = std::make_unique<HttpConversation>(loop.worker);
  }
  auto connection = std::make_shared<Connection<tcp::socket>>(std::move(socket), std::move(conversation));
  asio::post(loop.context, [&loop, connection] {
    loop.keep(connection);
    connection->start();
  });
}

// The call waits for one of the compute threads, runs there and is answered on the loop it came from.
bool Server::Impl::run_elsewhere(Call& call, Loop& loop) {
  const size_t rows = call.binding.rows;
  if (large_rows.fetch_add(rows) + rows > options.large_queue_rows) {
    large_rows.fetch_sub(rows);
    return false;
  }
  asio::post(compute, [this, &loop, rows, run = std::make_shared<LargeRun>(call, *loop.worker.counters)] {
    run->run();
    asio::post(loop.context, [this, rows, run] {
      large_rows.fetch_sub(rows);
      run->tell();
    });
  });
  return true;
}

Worker::AskControl Server::Impl::ask_control(asio::io_context& back) {
  if (!control.exists()) return {};
  return [this, &back](ControlRequest request, ControlQueue::Answer answer) {
    return control.ask(std::move(request), [&back, answer = std::move(answer)](ControlReply reply) {
      asio::post(back, [answer, reply = std::move(reply)]() mutable { answer(std::move(reply)); });
    });
  };
}

void Server::Impl::Loop::keep(std::weak_ptr<AnyConnection> connection) {
  if (connections.size() >= tidy_at) {
    std::erase_if(connections, [](const auto& each) { return each.expired(); });
    tidy_at = std::max<size_t>(64, 2 * connections.size());
  }
  connections.push_back(std::move(connection));
}

void Server::Impl::Loop::drain() {
  open.reset();  // the loop ends with its last connection
  for (const auto& each : connections) {
    if (const auto connection = each.lock()) connection->drain();
  }
}

void Server::Impl::Loop::abandon() {
  for (const auto& each : connections) {
    if (const auto connection = each.lock()) connection->abandon();
  }
}

void Server::Impl::Loop::run() {
  context.run();
  const std::lock_guard lock(mutex);
  is_ended = true;
  ended.notify_all();
}

void Server::Impl::Loop::wait(Clock::time_point end) {
  std::unique_lock lock(mutex);
  ended.wait_until(lock, end, [&] { return is_ended; });
}

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Server::~Server() {
  stop(std::chrono::milliseconds(0));
  impl_->control.close();
}

void Server::start() {
  Impl& server = *impl_;
  for (int i = 0; i < server.options.threads; ++i) {
    {
      const std::lock_guard lock(server.counters_mutex);
      server.counters.push_back(std::make_shared<Counters>());
    }
    server.loops.push_back(std::make_unique<Impl::Loop>(server));
  }
  if (server.options.http_port >= 0) server.listen(server.options.http_port, false);
  if (server.options.tcp_port >= 0) server.listen(server.options.tcp_port, true);
  for (const auto& listener : server.listeners) server.accept(*listener);
  for (const auto& loop : server.loops) loop->thread = std::thread([&each = *loop] { each.run(); });
  server.running = true;
}

void Server::stop(std::chrono::milliseconds patience) {
  Impl& server = *impl_;
  if (!server.running) return;
  server.running = false;
  asio::post(server.loops[0]->context, [&server] {
    for (const auto& listener : server.listeners) {
      boost::system::error_code error;
      listener->acceptor.close(error);
      listener->pause.cancel();
    }
  });
  for (const auto& loop : server.loops) asio::post(loop->context, [&each = *loop] { each.drain(); });
  const auto end = Clock::now() + patience;
  for (const auto& loop : server.loops) loop->wait(end);
  server.control.close();
  server.compute.join();
  for (const auto& loop : server.loops) {
    loop->context.stop();
    loop->thread.join();
    loop->abandon();
  }
  server.listeners.clear();  // their sockets belong to a loop
  server.loops.clear();
}

int Server::http_port() const { return impl_->http_port; }
int Server::tcp_port() const { return impl_->tcp_port; }
ModelTable& Server::models() { return impl_->models; }
ControlQueue& Server::control() { return impl_->control; }
Readiness& Server::readiness() { return impl_->readiness; }

Figures Server::figures() const {
  Figures figures;
  for (const auto& [name, entry] : *impl_->models.snapshot()) {
    for (const auto& [version, model] : entry.versions) place_of(name, version, figures);
  }
  const std::lock_guard lock(impl_->counters_mutex);
  for (const auto& each : impl_->counters) each->read(figures);
  figures.large_rows = impl_->large_rows.load();
  figures.control_requests = impl_->control.size();
  return figures;
}

}  // namespace maas::serve

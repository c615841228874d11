#include "maas/serve/server.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>  // Asio of Boost 1.74 needs it first in C++20
#include <vector>

#include "maas/base/error.h"
#include "maas/serve/batch.h"
#include "maas/serve/close_to_new.h"
#include "maas/serve/connection.h"
#include "maas/serve/descriptors.h"
#include "maas/serve/flush_timer.h"
#include "maas/serve/http_conversation.h"
#include "maas/serve/process.h"
#include "maas/serve/raw_conversation.h"
#include "maas/serve/tls.h"
#include "maas/serve/worker.h"

namespace maas::serve {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::chrono::milliseconds kLastRequests{250};  // for requests on their way when the server stops
constexpr std::chrono::milliseconds kAcceptPause{100};   // after an error such as no descriptor left
constexpr std::chrono::seconds kLook{1};                 // from one look at all connections to the next

}  // namespace

struct Server::Impl {
  explicit Impl(ServerOptions given)
      : options(std::move(given)),
        compute(std::in_place, static_cast<size_t>(options.compute_threads)),
        control(options.control_requests, options.control_bytes) {}

  // A thread of the server: its own event loop, the connections that it was given, what it works with.
  struct Loop {
    explicit Loop(Impl& of)
        : server(of),
          around{server.options, server.load, buffers, second},
          worker(
              server.options, server.models, [this] { flushes.flush_later(worker); },
              [this](Call& call) { return server.run_elsewhere(call, *this); }, server.ask_control(context),
              &server.readiness, server.counters.back(), &server.rules, server.do_elsewhere(context),
              &server.load) {}
    Impl& server;
    uint32_t second = 0;
    BufferPool buffers;
    Surroundings around;  // before the context, with which the last connections go
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> open{context.get_executor()};
    FlushTimer flushes{context};
    Worker worker;
    std::vector<std::weak_ptr<AnyConnection>> connections;  // tidied at each look
    asio::steady_timer next_look{context};
    bool draining = false;
    std::thread thread;

    template <class Stream, class... Args>
    void add(std::unique_ptr<Conversation> conversation, Args&&... stream);
    void look_later();
    void look();
    void drain(bool at_once);
    void abandon();
    void run();
    void wait(const bool& state, Clock::time_point end);

    std::mutex mutex;
    std::condition_variable ended;
    bool is_drained = false, is_ended = false;  // of the mutex
  };

  struct Listener {
    explicit Listener(asio::io_context& context) : acceptor(context), pause(context) {}
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    bool raw = false;
  };

  void listen(int port, bool raw);
  void accept(Listener& listener);
  void accept_last(Listener& listener);
  void welcome(tcp::socket socket, Loop& loop, bool raw);
  bool run_elsewhere(Call& call, Loop& loop);
  Worker::AskControl ask_control(asio::io_context& back);
  Worker::DoElsewhere do_elsewhere(asio::io_context& back);

  ServerOptions options;
  ModelTable models;
  TokenTable tokens;
  AccessRules rules{tokens, options.anonymous, options.host};
  std::vector<std::shared_ptr<Counters>> counters;  // one a loop; they stay when it is gone
  Load load;
  Ebb ebb;  // of the first loop's thread
  using Tls = std::shared_ptr<asio::ssl::context>;
  std::mutex tls_mutex;
  Tls tls;  // null: plain
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<std::unique_ptr<Listener>> listeners;  // on the first loop
  std::optional<asio::thread_pool> compute;  // gone before the loops: what waits there holds on to one
  ControlQueue control;
  Readiness readiness;
  std::mutex counters_mutex;
  std::unique_ptr<AccessLog> log;
  std::atomic<size_t> large_rows{0};
  size_t next_loop = 0;
  bool accepting = true;  // of the first loop's thread
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
    if (!error) {
      if (accepting) accept(listener);
      return welcome(std::move(socket), loop, listener.raw);
    }
    if (!accepting) return;
    listener.pause.expires_after(kAcceptPause);
    listener.pause.async_wait([&](boost::system::error_code stopped) {
      if (!stopped && accepting) accept(listener);
    });
  });
}

// Clients that connected before the server stopped have a right to their answer.
void Server::Impl::accept_last(Listener& listener) {
  boost::system::error_code error;
  close_to_new(listener.acceptor.native_handle());
  listener.pause.cancel();
  listener.acceptor.cancel(error);
  listener.acceptor.non_blocking(true, error);
  while (!error) {
    Loop& loop = *loops[next_loop++ % loops.size()];
    tcp::socket socket(loop.context);
    listener.acceptor.accept(socket, error);
    if (!error) welcome(std::move(socket), loop, listener.raw);
  }
  listener.acceptor.close(error);
}

void Server::Impl::welcome(tcp::socket socket, Loop& loop, bool raw) {
  const size_t before = load.connections.load(std::memory_order_relaxed);
  const size_t most = most_connections(options.connections);
  if (before >= most + kForHealth) return;  // closes it
  boost::system::error_code error;
  socket.set_option(tcp::no_delay(true), error);
  socket.non_blocking(true, error);
  std::unique_ptr<Conversation> conversation;
  if (raw) {
    conversation = std::make_unique<RawConversation>(loop.worker);
  } else {
    conversation = std::make_unique<HttpConversation>(loop.worker);
  }
  if (before >= most) conversation->set_crowded();
  Tls context;
  {
    const std::lock_guard lock(tls_mutex);
    context = tls;
  }
  if (context) {
    loop.add<TlsStream>(std::move(conversation), std::move(socket), *context);
  } else {
    loop.add<PlainStream>(std::move(conversation), std::move(socket));
  }
}

// Called on the first loop's thread.
template <class Stream, class... Args>
void Server::Impl::Loop::add(std::unique_ptr<Conversation> conversation, Args&&... stream) {
  auto made =
      std::make_shared<Connection<Stream>>(around, std::move(conversation), std::forward<Args>(stream)...);
  asio::post(context, [this, connection = std::move(made)] {
    connections.push_back(connection);
    connection->start();
    if (draining) connection->drain(false);
  });
}

// The call waits for one of the compute threads, runs there and is answered on the loop it came from.
bool Server::Impl::run_elsewhere(Call& call, Loop& loop) {
  const size_t rows = call.binding.rows;
  const size_t before = large_rows.fetch_add(rows);
  if (before > 0 && before + rows > options.large_queue_rows) {  // one alone may be larger
    large_rows.fetch_sub(rows);
    return false;
  }
  auto run = std::make_shared<LargeRun>(call, *loop.worker.counters);
  asio::post(*compute, [this, &loop, rows, run = std::move(run), open = asio::make_work_guard(loop.context)] {
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
    auto open = asio::make_work_guard(back);  // the loop does not end before the answer
    return control.ask(std::move(request), [&back, open, answer = std::move(answer)](ControlReply reply) {
      asio::post(back, [answer, reply = std::move(reply)]() mutable { answer(std::move(reply)); });
    });
  };
}

Worker::DoElsewhere Server::Impl::do_elsewhere(asio::io_context& back) {
  return [this, &back](Worker::Job work, Worker::Job then) {
    asio::post(*compute, [&back, work = std::move(work), then = std::move(then),
                          open = asio::make_work_guard(back)]() mutable {
      work();
      asio::post(back, std::move(then));
    });
  };
}

void Server::Impl::Loop::look_later() {
  next_look.expires_after(kLook);
  next_look.async_wait([this](boost::system::error_code stopped) {
    if (stopped || draining) return;
    look();
    if (server.loops[0].get() == this && server.ebb.seen(server.load))
      asio::post(*server.compute, release_free_blocks);
    look_later();
  });
}

void Server::Impl::Loop::look() {
  ++second;
  std::erase_if(connections, [](const auto& each) {
    const auto connection = each.lock();
    if (connection) connection->look();
    return !connection;
  });
}

void Server::Impl::Loop::drain(bool at_once) {
  draining = true;
  next_look.cancel();
  open.reset();  // the loop ends with its last connection
  for (const auto& each : connections)
    if (const auto connection = each.lock()) connection->drain(at_once);
  const std::lock_guard lock(mutex);
  is_drained = true;
  ended.notify_all();
}

void Server::Impl::Loop::abandon() {
  for (const auto& each : connections)
    if (const auto connection = each.lock()) connection->abandon();
}

void Server::Impl::Loop::run() {
  for (bool ends = false; !ends;) {
    try {
      context.run();
      ends = true;
    } catch (const std::exception&) {  // no memory for a handler: its connection is gone, the others go on
    }
  }
  const std::lock_guard lock(mutex);
  is_ended = true;
  ended.notify_all();
}

void Server::Impl::Loop::wait(const bool& state, Clock::time_point end) {
  std::unique_lock lock(mutex);
  ended.wait_until(lock, end, [&] { return state; });
}

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {
  const ServerOptions& given = impl_->options;
  if (!given.access_log.empty())
    impl_->log = std::make_unique<AccessLog>(given.access_log, given.access_log_sample);
}

Server::~Server() {
  stop(std::chrono::milliseconds(0));
  impl_->control.close();
}

void Server::start() {
  Impl& server = *impl_;
  renew_tls();
  for (int i = 0; i < server.options.threads; ++i) {
    {
      const std::lock_guard lock(server.counters_mutex);
      server.counters.push_back(std::make_shared<Counters>());
      if (server.log) server.counters.back()->log_to(server.log->make_ring());
    }
    server.loops.push_back(std::make_unique<Impl::Loop>(server));
  }
  if (server.options.http_port >= 0) server.listen(server.options.http_port, false);
  if (server.options.tcp_port >= 0) server.listen(server.options.tcp_port, true);
  if (server.log) server.log->start();
  for (const auto& listener : server.listeners) server.accept(*listener);
  for (const auto& loop : server.loops) loop->look_later();
  for (const auto& loop : server.loops) loop->thread = std::thread([&each = *loop] { each.run(); });
  server.running = true;
}

void Server::renew_tls() {
  Impl::Tls made = make_tls(impl_->options);
  const std::lock_guard lock(impl_->tls_mutex);
  impl_->tls.swap(made);
}

void Server::stop(std::chrono::milliseconds patience) {
  Impl& server = *impl_;
  if (!server.running) return;
  server.running = false;
  asio::post(server.loops[0]->context, [&server] {
    server.accepting = false;
    for (const auto& listener : server.listeners) server.accept_last(*listener);
    for (const auto& loop : server.loops) asio::post(loop->context, [&each = *loop] { each.drain(false); });
  });
  const auto now = Clock::now();
  for (const auto& loop : server.loops) loop->wait(loop->is_drained, now + patience);
  const auto last = std::min(now + patience, Clock::now() + kLastRequests);
  for (const auto& loop : server.loops) loop->wait(loop->is_ended, last);
  for (const auto& loop : server.loops) asio::post(loop->context, [&each = *loop] { each.drain(true); });
  for (const auto& loop : server.loops) loop->wait(loop->is_ended, now + patience);
  server.control.close();
  for (const auto& loop : server.loops) loop->context.stop();
  for (const auto& loop : server.loops) loop->thread.join();
  server.compute->stop();  // what still waits there has nobody to wait for it
  server.compute.reset();
  for (const auto& loop : server.loops) loop->abandon();
  server.listeners.clear();  // their sockets belong to a loop
  server.loops.clear();
  if (server.log) server.log->stop();
}

int Server::http_port() const { return impl_->http_port; }
int Server::tcp_port() const { return impl_->tcp_port; }
size_t Server::connection_limit() const { return most_connections(impl_->options.connections); }
ModelTable& Server::models() { return impl_->models; }
TokenTable& Server::tokens() { return impl_->tokens; }
ControlQueue& Server::control() { return impl_->control; }
Readiness& Server::readiness() { return impl_->readiness; }

Figures Server::figures() const {
  Figures figures;
  const auto models = impl_->models.snapshot();
  for (const auto& [name, entry] : *models)
    for (const auto& [version, model] : entry.versions) place_of(name, version, figures);
  const std::lock_guard lock(impl_->counters_mutex);
  for (const auto& each : impl_->counters) each->read(figures);
  if (impl_->log) figures.log_dropped = impl_->log->dropped();
  figures.large_rows = impl_->large_rows.load();
  figures.control_requests = impl_->control.size();
  return figures;
}

bool Server::remove(const std::string& name, const std::string& version) {
  if (!impl_->models.remove(name, version)) return false;
  const auto models = impl_->models.snapshot();
  const std::lock_guard lock(impl_->counters_mutex);
  retire_old(name, *models, impl_->counters);
  return true;
}

}  // namespace maas::serve

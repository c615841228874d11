#include "maas/serve/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "maas/base/error.h"
#include "serve/client.h"
#include "serve/desk.h"

namespace maas::serve {
namespace {

using std::chrono::milliseconds;

const std::string kLive = "GET /v2/health/live HTTP/1.1\r\nHost: h\r\n\r\n";

std::string infer(size_t rows) {
  return "POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nInference-Header-Content-Length: "
         "0\r\nContent-Length: " +
         std::to_string(12 * rows) + "\r\n\r\n" + std::string(12 * rows, '\0');
}

bool is(const std::string& answer, int status) {
  return answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

std::unique_ptr<Server> start(const ServerOptions& options) {
  auto server = std::make_unique<Server>(options);
  server->models().set(make_model("m", "1", linear_onnx()));
  server->start();
  return server;
}

// Until it is so, for a minute at most; asks now and then.
template <class True>
bool comes(True&& is_so) {
  for (int i = 0; i < 3000; ++i) {
    if (is_so()) return true;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return false;
}

double seconds_of(const std::function<void()>& work) {
  const auto begun = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

TEST(Server, AnswersFromAllThreads) {
  ServerOptions options;
  options.threads = 3;
  options.tcp_port = 0;
  const auto server = start(options);
  std::atomic<int> right{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 6; ++t) {
    clients.emplace_back([&] {
      Client client(server->http_port());
      for (int i = 0; i < 50; ++i) right += is(client.ask(infer(static_cast<size_t>(i % 5))), 200);
    });
  }
  for (auto& each : clients) each.join();
  EXPECT_EQ(right, 300);
  EXPECT_GT(server->tcp_port(), 0);
  server->stop(milliseconds(1000));
  server->stop(milliseconds(1000));
}

TEST(Server, StopsAtOnceWithIdleConnections) {
  const auto server = start({});
  std::vector<Client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back(server->http_port());
    EXPECT_TRUE(is(clients.back().ask(kLive), 200));
  }
  EXPECT_LT(seconds_of([&] { server->stop(milliseconds(600'000)); }), 60);
  for (auto& each : clients) EXPECT_TRUE(each.closes());
}

TEST(Server, ALargeCallIsAnsweredBeforeItStops) {
  ServerOptions options;
  options.large_us = 0;
  const auto server = start(options);
  for (int round = 0; round < 5; ++round) {
    Client client(server->http_port());
    ASSERT_TRUE(client.send(infer(100000)));
    if (round < 4) {
      EXPECT_TRUE(is(client.read_http(), 200));
      continue;
    }
    EXPECT_TRUE(comes([&] {  // it runs, or did already
      const Figures figures = server->figures();
      uint64_t answered = 0;
      for (const auto& each : figures.models) answered += each.requests[0].answered;
      return figures.large_rows > 0 || answered == 5;
    }));
    std::thread stopper([&] { server->stop(milliseconds(600'000)); });
    EXPECT_TRUE(is(client.read_http(), 200));
    stopper.join();
  }
}

TEST(Server, StopsWithLargeCallsThatNobodyRanYet) {
  for (int round = 0; round < 4; ++round) {
    ServerOptions options;
    options.large_us = 0;
    options.threads = 2;
    const auto server = start(options);
    std::vector<Client> clients;
    for (int i = 0; i < 12; ++i) {
      clients.emplace_back(server->http_port());
      ASSERT_TRUE(clients.back().send(infer(60000)));
    }
    EXPECT_TRUE(is(clients[0].read_http(), 200));
    server->stop(milliseconds(0));
    for (auto& each : clients) EXPECT_TRUE(each.closes(30));
  }
}

TEST(Server, AnAnswerFromTheControlPlaneIsWaitedForButNotForever) {
  for (const bool answers : {true, false}) {
    ServerOptions options;
    options.control_requests = 4;
    const auto server = start(options);
    Client client(server->http_port());
    ASSERT_TRUE(client.send("GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"));
    const auto request = server->control().next();
    ASSERT_TRUE(request.has_value());
    double took = 0;
    std::thread stopper(
        [&] { took = seconds_of([&] { server->stop(milliseconds(answers ? 600'000 : 300)); }); });
    std::this_thread::sleep_for(milliseconds(50));
    if (answers) {
      EXPECT_TRUE(server->control().answer(request->id, {.status = 200, .fields = {}, .body = "x"}));
      EXPECT_TRUE(is(client.read_http(), 200));
    }
    stopper.join();
    EXPECT_LT(took, 60);
    EXPECT_FALSE(server->control().answer(request->id, {}));
  }
}

TEST(Server, WhoConnectedBeforeItStoppedIsAnswered) {
  for (int round = 0; round < 2; ++round) {
    const auto server = start({});
    std::atomic<int> answered{0}, lost{0};
    std::vector<std::thread> clients;
    for (int t = 0; t < 8; ++t) {
      clients.emplace_back([&, port = server->http_port()] {
        while (true) {
          const auto begun = Clock::now();
          Client client(port);
          if (!client.connected()) return;
          if (is(client.ask(kLive), 200)) {
            ++answered;
          } else if (Clock::now() - begun < milliseconds(200)) {  // else it was sent too late
            ++lost;
          }
        }
      });
    }
    while (answered < 1000 && lost == 0) std::this_thread::yield();
    server->stop(milliseconds(30000));
    for (auto& each : clients) each.join();
    EXPECT_EQ(lost, 0);
  }
}

TEST(Server, GoesWithoutHavingBeenStarted) {
  Server never{ServerOptions()};
  const auto server = start({});
  ServerOptions taken;
  taken.http_port = server->http_port();
  Server second(taken);
  EXPECT_THROW(second.start(), Error);
  ServerOptions nowhere;
  nowhere.host = "999.1.1.1";
  EXPECT_THROW(Server(nowhere).start(), Error);
}

TEST(Server, GoesWithConnectionsInEveryState) {
  ServerOptions options;
  options.threads = 2;
  options.tcp_port = 0;
  options.control_requests = 4;
  const auto server = start(options);
  std::vector<Client> clients;
  const std::string states[] = {"",
                                "GET /",
                                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\na",
                                "GET /x HTTP/1.1\r\nHost: h\r\n\r\n",
                                infer(1),
                                "nonsense\r\n\r\n"};
  for (int i = 0; i < 4; ++i) {
    for (const std::string& each : states) {
      clients.emplace_back(server->http_port());
      ASSERT_TRUE(clients.back().send(each));
      clients.emplace_back(server->tcp_port());
      ASSERT_TRUE(clients.back().send(each));
    }
  }
  std::this_thread::sleep_for(milliseconds(50));
}

TEST(ServerLimits, SlowAndIdleClientsGo) {
  ServerOptions options;
  options.idle_seconds = options.head_seconds = options.body_seconds = 1;
  options.tcp_port = 0;
  const auto server = start(options);
  Client idle(server->http_port()), silent(server->http_port()), head(server->http_port()),
      body(server->http_port()), raw(server->tcp_port()), frame(server->tcp_port());
  idle.ask(kLive);
  EXPECT_TRUE(body.send("POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"));
  EXPECT_TRUE(raw.send("\x1c"));
  EXPECT_TRUE(frame.send(std::string_view("\0\0\1\0\1\1", 6)));
  // Each sends a byte now and then, so none is idle.
  bool gone = false;
  for (int i = 0; i < 600 && !gone; ++i) {
    for (Client* each : {&head, &body}) each->send("a");
    frame.send(std::string_view("\0", 1));
    gone = head.said("408") && body.said("408") && raw.said("whole frame") && frame.said("whole frame");
    std::this_thread::sleep_for(milliseconds(100));
  }
  EXPECT_TRUE(gone);
  for (Client* each : {&idle, &silent, &head, &body, &raw, &frame}) EXPECT_TRUE(each->closes());
  EXPECT_EQ(idle.read_all(), "") << "who asks nothing is told nothing";
  EXPECT_EQ(silent.read_all(), "");
}

TEST(ServerLimits, AClientThatNeverReadsGoes) {
  ServerOptions options;
  options.write_seconds = 1;
  const auto server = start(options);
  Client client(server->http_port(), 4096);
  std::string many;
  for (int i = 0; i < 2000; ++i) many += infer(50);
  Client other(server->http_port());
  EXPECT_FALSE(client.send(many + many + many + many + many + many + many + many, 4))
      << "the server takes no more than it answers";
  EXPECT_TRUE(is(other.ask(kLive), 200));
}

TEST(ServerLimits, TheNewestConnectionsHearOfHealthAlone) {
  ServerOptions options;
  options.connections = 8;
  const auto server = start(options);
  std::vector<Client> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(server->http_port());
    ASSERT_TRUE(is(clients.back().ask(kLive), 200));
  }
  {
    Client newest(server->http_port());
    EXPECT_TRUE(is(newest.ask(infer(1)), 503));
    EXPECT_TRUE(newest.closes());
    Client probe(server->http_port());
    EXPECT_TRUE(is(probe.ask(kLive), 200));
    EXPECT_TRUE(probe.closes());
  }
  for (auto& each : clients) EXPECT_TRUE(is(each.ask(infer(1)), 200));
  for (int i = 0; i < 200; ++i) clients.emplace_back(server->http_port());  // most are closed unheard
  EXPECT_TRUE(clients.back().closes());
  EXPECT_TRUE(is(clients.front().ask(infer(1)), 200));
  clients.clear();
  EXPECT_TRUE(comes([&] { return is(Client(server->http_port()).ask(infer(1)), 200); }))
      << "no connection is let in again";
}

TEST(ServerLimits, BodiesBeyondTheMemoryAreTurnedAway) {
  ServerOptions options;
  options.memory_bytes = 1 << 20;
  const auto server = start(options);
  Client holder(server->http_port());
  ASSERT_TRUE(holder.send("POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 800000\r\n\r\n" +
                          std::string(700000, ' ')));
  std::string answer;
  EXPECT_TRUE(comes([&] {  // once the holder's bytes are in
    Client client(server->http_port());
    client.send(infer(80000), 3);
    answer = client.read_http();
    return is(answer, 503);
  })) << answer;
  EXPECT_NE(answer.find("Retry-After: "), std::string::npos);
  Client small(server->http_port());
  EXPECT_TRUE(is(small.ask(infer(100)), 200));
  EXPECT_TRUE(is(small.ask(kLive), 200));
  {
    const Client gone = std::move(holder);
  }
  EXPECT_TRUE(comes([&] { return is(Client(server->http_port()).ask(infer(40000)), 200); }));
}

TEST(ServerLimits, ALastAnswerArrivesThoughMoreWasSent) {
  ServerOptions options;
  options.http.body = 1000;
  const auto server = start(options);
  for (int i = 0; i < 10; ++i) {
    Client client(server->http_port());
    client.send("POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 5000000\r\n\r\n" +
                std::string(5000000, ' '));
    EXPECT_TRUE(is(client.read_http(), 413));
  }
}

TEST(ServerLimits, ABodyInManyChunksGrowsInFewSteps) {
  const auto server = start({});
  Client client(server->http_port());
  const std::string piece = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
  ASSERT_TRUE(
      client.send("POST /v2/models/m/infer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
  const std::clock_t begun = std::clock();
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(client.send(piece));
  ASSERT_TRUE(client.send("0\r\n\r\n"));
  EXPECT_TRUE(is(client.read_http(), 400));  // 26 MB of spaces
  EXPECT_LT(std::clock() - begun, 5 * CLOCKS_PER_SEC) << "of this process alone";
}

}  // namespace
}  // namespace maas::serve

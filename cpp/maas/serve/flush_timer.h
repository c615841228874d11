// When a loop's worker runs what was added to it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "maas/serve/worker.h"

namespace maas::serve {

// Used on the loop's thread.
class FlushTimer {
 public:
  explicit FlushTimer(boost::asio::io_context& context) : context_(context), timer_(context) {}

  // Behind all that is ready now, or after the worker's patience, counted anew.
  void flush_later(Worker& worker) {
    const auto patience = worker.patience();
    if (patience.count() == 0) return boost::asio::post(context_, [&worker] { worker.flush(); });
    timer_.expires_after(patience);
    timer_.async_wait([&worker](boost::system::error_code stopped) {
      if (!stopped) worker.flush();
    });
  }

 private:
  boost::asio::io_context& context_;
  boost::asio::steady_timer timer_;
};

}  // namespace maas::serve

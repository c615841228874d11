/* A bare echo over epoll, the floor beneath any server: reads requests of one size, answers each with bytes of another
 * size, on one thread. echo REQUEST_BYTES ANSWER_BYTES prints its port and serves until its standard input ends. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kConnections = 65536, kRead = 1 << 16, kEvents = 256, kAnswers = 1 << 20 };

static size_t request_bytes, answer_bytes;
static size_t pending[kConnections]; /* bytes of a request that is not whole yet, by descriptor */
static char in[kRead], out[kAnswers];

static void serve(int epoll, int fd) {
  const ssize_t count = read(fd, in, sizeof in);
  if (count <= 0) {
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
    close(fd);
    return;
  }
  /* The answer carries the request's id, bytes 8 to 15, where a whole one begins here: what a client matches by. */
  const size_t all = pending[fd] + (size_t)count;
  size_t whole = all / request_bytes;
  const size_t begin = pending[fd];
  pending[fd] = all % request_bytes;
  if (whole * answer_bytes > sizeof out) whole = sizeof out / answer_bytes;
  for (size_t i = 0; i < whole; ++i) {
    const size_t at = i * request_bytes + 8;
    if (at >= begin && at - begin + 8 <= (size_t)count) {
      memcpy(out + i * answer_bytes + 8, in + at - begin, 8);
    }
  }
  for (size_t sent = 0; sent < whole * answer_bytes;) {
    const ssize_t done = write(fd, out + sent, whole * answer_bytes - sent);
    if (done < 0 && errno != EAGAIN) return;
    if (done > 0) sent += (size_t)done;
  }
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  request_bytes = strtoul(arguments[1], NULL, 10);
  answer_bytes = strtoul(arguments[2], NULL, 10);
  if (request_bytes < 16 || answer_bytes < 16 || request_bytes > sizeof in) return 2;
  for (size_t at = 0; at + answer_bytes <= sizeof out; at += answer_bytes) {
    const unsigned size = (unsigned)answer_bytes - 4;
    memcpy(out + at, &size, 4); /* a raw frame's head: size, version 1, kind 129 */
    out[at + 4] = 1;
    out[at + 5] = (char)129;
  }
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 1024) < 0) return 1;
  getsockname(listener, (struct sockaddr *)&address, &length);
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[kEvents];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  event.data.fd = STDIN_FILENO;
  epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
  for (;;) {
    const int ready = epoll_wait(epoll, events, kEvents, -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == STDIN_FILENO) return 0;
      if (fd != listener) {
        serve(epoll, fd);
        continue;
      }
      const int connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      if (connection < 0 || connection >= kConnections) continue;
      setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      pending[connection] = 0;
      event.data.fd = connection;
      epoll_ctl(epoll, EPOLL_CTL_ADD, connection, &event);
    }
  }
}

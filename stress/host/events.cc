#include "stress/host/events.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>

#include "stress/config/error.h"

namespace stress {
namespace {

std::atomic<int> g_signals{0};
std::atomic<int> g_event{-1};

void OnSignal(int) {
  if (g_signals.fetch_add(1) > 0) _exit(kExitInterrupted);
  HostEvents::Notify();
}

}  // namespace

void HostEvents::Install() {
  if (g_event.load() >= 0) return;
  g_event.store(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

void HostEvents::Wait(std::uint64_t timeout_ns) {
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  pollfd event{g_event.load(), POLLIN, 0};
  const int timeout_ms = static_cast<int>((timeout_ns + kNsPerMs - 1) / kNsPerMs);
  if (poll(&event, 1, timeout_ms) <= 0) return;
  std::uint64_t count;
  // Nothing to do when it fails: another wait took it.
  if (read(event.fd, &count, sizeof count) < 0) return;
}

void HostEvents::Notify() {
  const std::uint64_t one = 1;
  const int fd = g_event.load();
  // A full counter wakes as well.
  if (fd >= 0 && write(fd, &one, sizeof one) < 0) return;
}

bool HostEvents::interrupted() { return g_signals.load() > 0; }

}  // namespace stress

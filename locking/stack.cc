#include "locking/stack.h"

#include <cstring>

#include "absl/debugging/symbolize.h"
#include "locking/annotations.h"

// Present in sanitizer builds only.
extern "C" __attribute__((weak)) void __sanitizer_symbolize_pc(void* pc, const char* format,
                                                               char* out, std::size_t out_size);

namespace locking {
namespace {

constexpr int kMaxFrames = 48;

// Frames lie at rising addresses on one stack; a gap larger than this is the end of the chain.
constexpr std::uintptr_t kMaxFrameBytes = 1 << 20;

LOCKING_UNINSTRUMENTED __attribute__((noinline)) int WalkFrames(std::uintptr_t* frames, int most) {
  auto* frame = static_cast<std::uintptr_t*>(__builtin_frame_address(0));
  int n = 0;
  while (frame != nullptr && n < most) {
    const std::uintptr_t caller = frame[1];
    if (caller == 0) break;
    frames[n++] = caller;
    const std::uintptr_t next = frame[0];
    const auto here = reinterpret_cast<std::uintptr_t>(frame);
    if (next <= here || next - here > kMaxFrameBytes || next % sizeof(void*) != 0) break;
    frame = reinterpret_cast<std::uintptr_t*>(next);
  }
  return n;
}

std::string Symbol(std::uintptr_t address) {
  char text[512];
  if (__sanitizer_symbolize_pc != nullptr) {
    __sanitizer_symbolize_pc(reinterpret_cast<void*>(address), "%f %S", text, sizeof(text));
    if (text[0] != '\0' && text[0] != '<') return text;
  }
  if (absl::Symbolize(reinterpret_cast<void*>(address - 1), text, sizeof(text))) return text;
  return "(unknown function)";
}

}  // namespace

Stack CurrentStack(int skip) {
  std::uintptr_t frames[kMaxFrames];
  const int n = WalkFrames(frames, kMaxFrames);
  const int first = skip + 1 < n ? skip + 1 : n;
  return Stack(frames + first, frames + n);
}

void SaveStack(std::atomic<std::uintptr_t>* frames, int depth) {
  std::uintptr_t raw[kMaxFrames];
  const int n = WalkFrames(raw, kMaxFrames);
  for (int i = 0; i < depth; ++i)
    frames[i].store(i + 1 < n ? raw[i + 1] : 0, std::memory_order_relaxed);
}

std::vector<std::string> FormatStack(const Stack& stack) {
  std::vector<std::string> lines;
  lines.reserve(stack.size());
  for (std::uintptr_t address : stack) lines.push_back(Symbol(address));
  return lines;
}

}  // namespace locking

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

// The functions at a return address, innermost first: several where calls were inlined.
void AppendSymbols(std::uintptr_t address, std::vector<std::string>* lines) {
  void* call = reinterpret_cast<void*>(address - 1);
  if (__sanitizer_symbolize_pc != nullptr) {
    char text[4096] = {};
    __sanitizer_symbolize_pc(call, "%f %S", text, sizeof(text) - 2);
    if (text[0] != '\0' && text[0] != '<') {
      for (const char* line = text; *line != '\0'; line += std::strlen(line) + 1)
        lines->push_back(line);
      return;
    }
  }
  char text[512];
  lines->push_back(absl::Symbolize(call, text, sizeof(text)) ? text : "(unknown function)");
}

}  // namespace

Stack CurrentStack(int skip) {
  std::uintptr_t frames[kMaxFrames];
  const int n = WalkFrames(frames, kMaxFrames);
  const int first = skip + 1 < n ? skip + 1 : n;
  return Stack(frames + first, frames + n);
}

LOCKING_UNINSTRUMENTED Stack StackOf(std::uintptr_t program_counter, const std::uintptr_t* frame,
                                     const void* low, const void* high) {
  std::uintptr_t frames[kMaxFrames];
  int n = 0;
  frames[n++] = program_counter;
  const auto first = reinterpret_cast<std::uintptr_t>(low);
  const auto end = reinterpret_cast<std::uintptr_t>(high) - 2 * sizeof(void*);
  auto here = reinterpret_cast<std::uintptr_t>(frame);
  while (n < kMaxFrames && here >= first && here <= end && here % sizeof(void*) == 0) {
    const auto* pair = reinterpret_cast<const std::uintptr_t*>(here);
    if (pair[1] == 0) break;
    frames[n++] = pair[1];
    if (pair[0] <= here) break;
    here = pair[0];
  }
  return Stack(frames, frames + n);
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
  for (std::uintptr_t address : stack) AppendSymbols(address, &lines);
  return lines;
}

}  // namespace locking

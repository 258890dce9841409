// Any text is a recorded failure, which survives being written and read again, or is refused.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "locking/explore/failure.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  locking::explore::Failure failure, again;
  std::string error;
  if (!locking::explore::ParseFailure(text, &failure, &error)) {
    if (error.empty()) std::abort();
    return 0;
  }
  if (failure.choices.size() > 1'000'000) return 0;  // the round trip would be slow
  const std::string written = FormatFailure(failure);
  if (!ParseFailure(written, &again, &error)) std::abort();
  if (again.choices != failure.choices || again.seed != failure.seed) std::abort();
  return 0;
}

// Any text is a result of lockorder, which is the same when it was written and read again, or is
// refused.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "stress/config/error.h"
#include "stress/report/order_report.h"

namespace {

std::string Written(const stress::OrderResult& result) {
  const locking::OrderBook book;
  return stress::OrderReport("json", stress::JudgeOrder(book, result, "2026-11-21"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  stress::OrderResult result;
  try {
    result = stress::ReadOrderResult(text, "r.json");
  } catch (const stress::CommandError& error) {
    if (error.code() != stress::kExitUsage) std::abort();
    return 0;
  }
  const std::string once = Written(result);
  if (Written(stress::ReadOrderResult(once, "r.json")) != once) std::abort();
  return 0;
}

#include "stress/world/operation_log.h"

#include <algorithm>
#include <cstdio>

namespace stress {

void OperationLog::Begin(const char* name, std::uint32_t space, vm::Address address,
                         std::uint32_t pages) {
  Entry& entry = entries_[begun_.Get() % kEntries];
  entry.result.Set(0);
  entry.name.Set(reinterpret_cast<std::uintptr_t>(name));
  entry.space.Set(space);
  entry.address.Set(address);
  entry.pages.Set(pages);
  begun_.Add();
}

void OperationLog::End(vm::Result result) {
  entries_[(begun_.Get() - 1) % kEntries].result.Set(1 + static_cast<std::uint64_t>(result));
}

std::vector<std::string> OperationLog::Tail(std::uint32_t most) const {
  std::vector<std::string> lines;
  const std::uint64_t begun = begun_.Get();
  const std::uint64_t kept = std::min<std::uint64_t>({begun, kEntries, most});
  for (std::uint64_t i = begun - kept; i < begun; ++i) {
    const Entry& entry = entries_[i % kEntries];
    std::string line = reinterpret_cast<const char*>(entry.name.Get());
    if (entry.space.Get() != 0) line += " space " + std::to_string(entry.space.Get());
    if (entry.address.Get() != 0) {
      char address[32];
      std::snprintf(address, sizeof address, " at 0x%llx",
                    static_cast<unsigned long long>(entry.address.Get()));
      line += address;
    }
    if (entry.pages.Get() != 0) line += " (" + std::to_string(entry.pages.Get()) + " pages)";
    const std::uint64_t result = entry.result.Get();
    line += ": ";
    line += result == 0 ? "under way" : vm::ResultName(static_cast<vm::Result>(result - 1));
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace stress

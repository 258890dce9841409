#include "stress/run/store.h"

#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/world/faulty_store.h"
#include "vm/store/file_store.h"

namespace stress {
namespace {

[[noreturn]] void Refuse(const RunPlan& plan, const std::string& path, int error) {
  const std::string what = plan.scenario.settings.Origin("store") + ": " + OneLine(path);
  constexpr char kAccepted[] = "; accepted: the path of a new file, which is removed again";
  struct stat status;
  const bool folder = stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  if (folder) FailUsage(what + " is a folder" + kAccepted);
  if (error == EEXIST) FailUsage(what + " exists already" + kAccepted);
  const std::string why = std::generic_category().message(error);
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: {
      constexpr std::uint64_t kMiB = 1u << 20;
      const std::uint64_t bytes = std::uint64_t{plan.machine.swap_slots} * plan.machine.page_size;
      FailHost(what + " cannot be given the " + std::to_string(bytes / kMiB) + "MiB of " +
               std::to_string(plan.machine.swap_slots) + " swap slots: " + why);
    }
    case EIO:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      FailHost(what + " cannot be created: " + why);
    default:
      FailUsage(what + " cannot be created: " + why + kAccepted);
  }
}

OpenedStore Open(const RunPlan& plan) {
  const std::uint32_t page_size = plan.machine.page_size;
  const std::uint32_t slots = plan.machine.swap_slots;
  constexpr std::string_view kFile = "file:";
  if (!plan.store.starts_with(kFile)) return {vm::MakeMemoryStore(slots, page_size), "none"};
  const std::string path = plan.store.substr(kFile.size());
  int error = 0;
  auto file = vm::FileStore::Create(path, slots, page_size, &error);
  if (file == nullptr) Refuse(plan, path, error);
  const bool direct = file->caching() == vm::FileStore::Caching::kDirect;
  return {std::move(file), direct ? "direct" : "buffered"};
}

}  // namespace

OpenedStore OpenStore(const RunPlan& plan, std::uint64_t seed) {
  OpenedStore opened = Open(plan);
  if (plan.store_faults.any())
    opened.store = std::make_unique<FaultyStore>(std::move(opened.store), plan.store_faults, seed);
  return opened;
}

}  // namespace stress

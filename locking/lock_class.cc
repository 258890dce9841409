#include "locking/lock_class.h"

#include <algorithm>
#include <mutex>

#include "locking/hash.h"
#include "locking/watch.h"

namespace locking {
namespace {

struct Registry {
  std::mutex mutex;
  std::vector<LockClassInfo> classes;
};

Registry& TheRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

std::uint32_t Register(std::string_view name, LockKind kind) {
  Registry& registry = TheRegistry();
  std::lock_guard lock(registry.mutex);
  registry.classes.push_back({std::string(name), kind});
  return static_cast<std::uint32_t>(registry.classes.size() - 1);
}

}  // namespace

bool LowerNumberFirst(const LockBase& held, const LockBase& taken) {
  return held.instance() < taken.instance();
}

LockClass::LockClass(std::string_view name, LockKind kind, LockClassFlags flags,
                     LockComparator order)
    : name_(name),
      kind_(kind),
      flags_(flags),
      order_(order),
      id_(Register(name, kind)),
      name_hash_(HashString(name)) {}

std::vector<LockClassInfo> AllLockClasses() {
  Registry& registry = TheRegistry();
  std::lock_guard lock(registry.mutex);
  return registry.classes;
}

std::string LockClassName(std::uint32_t id) {
  Registry& registry = TheRegistry();
  std::lock_guard lock(registry.mutex);
  return id < registry.classes.size() ? registry.classes[id].name : "unknown";
}

const char* LockKindName(LockKind kind) {
  switch (kind) {
    case LockKind::kSleepable:
      return "sleepable";
    case LockKind::kMutex:
      return "mutex";
    case LockKind::kSpin:
      return "spin";
    case LockKind::kInterrupt:
      return "interrupt";
    case LockKind::kResource:
      return "resource";
  }
  return "unknown";
}

bool MayNest(LockKind outer, LockKind inner) {
  if (outer == LockKind::kResource) return true;
  return static_cast<int>(inner) >= static_cast<int>(std::min(outer, LockKind::kSpin));
}

}  // namespace locking

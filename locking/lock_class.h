// A lock class: what all locks of one role have in common. Lock order is decided between classes;
// the identity of a class is the descriptor itself, two descriptors of one name are two classes.
//
// Thread safety: immutable after construction.
#ifndef LOCKING_LOCK_CLASS_H_
#define LOCKING_LOCK_CLASS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace locking {

class LockBase;

// Kinds nest in this order: an outer kind taken inside an inner one is LK05.
enum class LockKind : std::uint8_t {
  kSleepable,  // may be held across a sleep (map, vnode)
  kMutex,      // never held across a sleep except as its interlock (object, page queues, pmap)
  kSpin,       // interrupts off while held; no sleep except as its interlock (free queue)
  kInterrupt,  // not a lock: a handler that interrupts threads; only spin locks are taken in it
  kResource,   // not a lock: a thing one sleeps for (page busy, free pages)
};

enum class LockClassFlags : std::uint32_t {
  kNone = 0,
  kRecursiveRead = 1,  // a thread may read-lock again; a waiting writer does not block readers
  kDuplicateOk = 2,    // two instances may be held at once; their order is not checked here
  kInterruptsOn = 4,   // of spin kind: interrupts stay as they are while it is held
};

// Whether `taken` may be taken inside `held`, another instance of its class: a declared order.
// Asked of the one that was taken last, by the thread that holds it.
using LockComparator = bool (*)(const LockBase& held, const LockBase& taken);
// By the numbers that the creators gave them, the lower first.
bool LowerNumberFirst(const LockBase& held, const LockBase& taken);

class LockClass {
 public:
  // `name` is what reports, the order book and the JSON call the class.
  // `order`: between instances; nullptr: none is declared.
  LockClass(std::string_view name, LockKind kind, LockClassFlags flags = LockClassFlags::kNone,
            LockComparator order = nullptr);
  LockClass(const LockClass&) = delete;
  LockClass& operator=(const LockClass&) = delete;

  const std::string& name() const { return name_; }
  LockKind kind() const { return kind_; }
  // Dense, from 0, in order of construction; never used twice. Indexes statistics.
  std::uint32_t id() const { return id_; }
  LockComparator order() const { return order_; }
  // Depends on the name alone: what enters a trace hash.
  std::uint64_t name_hash() const { return name_hash_; }
  bool Has(LockClassFlags flag) const {
    return (static_cast<std::uint32_t>(flags_) & static_cast<std::uint32_t>(flag)) != 0;
  }

 private:
  std::string name_;
  LockKind kind_;
  LockClassFlags flags_;
  LockComparator order_;
  std::uint32_t id_;
  std::uint64_t name_hash_;
};

// What outlives a class: its name and kind by id, for reports written after it is gone.
struct LockClassInfo {
  std::string name;
  LockKind kind;
};
std::vector<LockClassInfo> AllLockClasses();
std::string LockClassName(std::uint32_t id);

const char* LockKindName(LockKind kind);
// Whether a lock of kind `inner` may be taken inside one of kind `outer`.
bool MayNest(LockKind outer, LockKind inner);

}  // namespace locking

#endif  // LOCKING_LOCK_CLASS_H_

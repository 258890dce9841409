#include "tests/witness/scenario.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "locking/event.h"
#include "locking/interrupt.h"
#include "locking/mutex.h"
#include "locking/resource.h"
#include "locking/rw_mutex.h"
#include "locking/semaphore.h"
#include "locking/sleep_queue.h"
#include "locking/spin_mutex.h"
#include "locking/thread.h"
#include "locking/witness.h"
#include "tests/witness/recording_sink.h"

namespace locking {
namespace {

const LockClass kInterrupt("irq", LockKind::kInterrupt);
const LockClass kInterlock("interlock of a sleep", LockKind::kSpin);
const LockClass kEvent("event", LockKind::kResource);

class AnyLock {
 public:
  AnyLock(const LockClass& lock_class, TestLock kind, std::uint32_t instance)
      : resource_{.resource_class = &lock_class, .instance = instance, .identity = this} {
    if (kind == TestLock::kSpin || kind == TestLock::kSpinWithInterrupts)
      spin_ = std::make_unique<SpinMutex>(lock_class, instance);
    else if (kind == TestLock::kMutex || kind == TestLock::kSleepableMutex)
      mutex_ = std::make_unique<Mutex>(lock_class, instance);
    else if (kind == TestLock::kSemaphore || kind == TestLock::kTwoUnits)
      semaphore_ =
          std::make_unique<Semaphore>(lock_class, kind == TestLock::kTwoUnits ? 2 : 1, instance);
    else if (kind == TestLock::kEvent)
      event_ = std::make_unique<Event>(lock_class, instance);
    else if (kind != TestLock::kResource)
      rw_ = std::make_unique<RwMutex>(lock_class, instance);
  }
  void Lock() {
    semaphore_ ? semaphore_->Acquire()
    : spin_    ? spin_->Lock()
    : mutex_   ? mutex_->Lock()
               : rw_->Lock();
  }
  bool TryLock() {
    return semaphore_ ? semaphore_->TryAcquire()
           : spin_    ? spin_->TryLock()
           : mutex_   ? mutex_->TryLock()
                      : rw_->TryLock();
  }
  void Unlock() {
    semaphore_ ? semaphore_->Release()
    : spin_    ? spin_->Unlock()
    : mutex_   ? mutex_->Unlock()
               : rw_->Unlock();
  }
  void LockShared() { rw_->LockShared(); }
  bool TryLockShared() { return rw_->TryLockShared(); }
  void UnlockShared() { rw_->UnlockShared(); }
  void Hold(LockMode mode) {
    HoldResource(this, *resource_.resource_class, resource_.instance, mode);
  }
  void Drop() { DropResource(this); }
  void Promise() { event_ ? event_->Promise() : PromiseResource(resource_); }
  void Set() { event_->Set(); }
  // Nothing is waited for that has not happened.
  void AwaitResource() {
    event_ && event_->IsSet() ? event_->Wait() : BeforeWait(resource_, Here());
  }
  void AwaitUnder(const AnyLock& interlock) {
    const LockBase* lock = interlock.spin_    ? static_cast<const LockBase*>(interlock.spin_.get())
                           : interlock.mutex_ ? interlock.mutex_.get()
                                              : static_cast<const LockBase*>(interlock.rw_.get());
    Self().run.witness->BeforeSleep(Self(), lock, resource_, kNoDeadline, Here());
  }
  void AwaitWithDeadline() {
    Self().run.witness->BeforeSleep(Self(), nullptr, resource_, Clock::NowNs() + 1, Here());
  }
  void AwaitIdly() {
    Resource idle = resource_;
    idle.may_idle = true;
    BeforeWait(idle, Here());
  }
  bool Upgrade() { return rw_->Upgrade(); }
  // In its place, without an end of the former one.
  void Initialise() {
    if (spin_)
      std::construct_at(spin_.get(), spin_->lock_class(), spin_->instance());
    else if (mutex_)
      std::construct_at(mutex_.get(), mutex_->lock_class(), mutex_->instance());
    else
      std::construct_at(rw_.get(), rw_->lock_class(), rw_->instance());
  }

 private:
  static Site Here(Site site = Site::current()) { return site; }

  const Resource resource_;
  std::unique_ptr<Semaphore> semaphore_;
  std::unique_ptr<Event> event_;
  std::unique_ptr<Mutex> mutex_;
  std::unique_ptr<SpinMutex> spin_;
  std::unique_ptr<RwMutex> rw_;
};

LockKind KindOf(TestLock lock) {
  switch (lock) {
    case TestLock::kSpin:
    case TestLock::kSpinWithInterrupts:
    case TestLock::kSpinRwWithInterrupts:
      return LockKind::kSpin;
    case TestLock::kSleepableMutex:
    case TestLock::kSleepableRw:
      return LockKind::kSleepable;
    case TestLock::kSemaphore:
    case TestLock::kTwoUnits:
    case TestLock::kResource:
    case TestLock::kEvent:
      return LockKind::kResource;
    default:
      return LockKind::kMutex;
  }
}

// The classes and locks of one row, made as the paths name them.
class LockTable {
 public:
  explicit LockTable(const Scenario& scenario) : scenario_(scenario) {}

  AnyLock& Get(const std::string& name) { return Get(name, scenario_.lock); }
  AnyLock& Get(const std::string& name, TestLock usual_kind) {
    const std::size_t hash = name.find('#');
    const std::string class_name = name.substr(0, hash);
    const std::uint32_t instance =
        hash == std::string::npos ? 0 : std::stoul(name.substr(hash + 1));
    const auto other = scenario_.others.find(class_name);
    const TestLock kind = other == scenario_.others.end() ? usual_kind : other->second;
    auto& lock_class = classes_[class_name];
    if (lock_class == nullptr) {
      auto flags = static_cast<std::uint32_t>(scenario_.flags);
      if (kind == TestLock::kRecursiveReadRw || kind == TestLock::kSpinRwWithInterrupts)
        flags |= static_cast<std::uint32_t>(LockClassFlags::kRecursiveRead);
      if (kind == TestLock::kSpinWithInterrupts || kind == TestLock::kSpinRwWithInterrupts)
        flags |= static_cast<std::uint32_t>(LockClassFlags::kInterruptsOn);
      lock_class =
          std::make_unique<LockClass>(class_name, KindOf(kind), static_cast<LockClassFlags>(flags));
    }
    auto& lock = locks_[name];
    if (lock == nullptr) lock = std::make_unique<AnyLock>(*lock_class, kind, instance);
    return *lock;
  }
  // A lock that stays locked may not be destroyed: this one and all others are kept for good.
  void Keep() {
    static auto* kept_classes = new std::vector<std::unique_ptr<LockClass>>;
    static auto* kept_locks = new std::vector<std::unique_ptr<AnyLock>>;
    for (auto& [name, lock] : locks_) kept_locks->push_back(std::move(lock));
    for (auto& [name, lock_class] : classes_) kept_classes->push_back(std::move(lock_class));
  }

 private:
  const Scenario& scenario_;
  std::map<std::string, std::unique_ptr<LockClass>> classes_;
  std::map<std::string, std::unique_ptr<AnyLock>> locks_;
};

// One path, already looked up, so that its thread touches nothing shared but the locks.
class Path {
 public:
  Path(const std::string& text, LockTable* locks) {
    std::istringstream words(text);
    for (std::string word; words >> word;) {
      if (word == "main")
        by_main_ = true;
      else if (word == "irq{")
        steps_.push_back({What::kInterrupt, nullptr, nullptr, 0, ParseHandler(&words, locks)});
      else
        steps_.push_back(Parse(word, locks));
    }
  }
  bool by_main() const { return by_main_; }

  using Join = std::function<void(std::size_t)>;  // by the number of a path
  // Runs when `turn` is `mine`; the last of `paths` makes it `paths`.
  void Run(std::atomic<std::size_t>* turn, std::size_t mine, std::size_t paths,
           bool with_interrupts, const Join& join) {
    Await(turn, mine);
    join_ = &join;
    std::optional<Interrupt> interrupt;
    std::optional<TakesInterrupt> takes;
    if (with_interrupts) {
      interrupt.emplace(kInterrupt, [this] { HandleInterrupt(); });
      takes.emplace(*interrupt);
      interrupt_ = &*interrupt;
    }
    try {
      for (const Step& step : steps_) Do(step);
    } catch (const FatalFinding&) {
    }
    off_.clear();
    if (pass_) {
      turn->store(mine + 1, std::memory_order_relaxed);
      Await(turn, paths);
    }
    while (!hold_ && !taken_.empty()) Release(taken_.size() - 1);
    if (!pass_) turn->store(mine + 1, std::memory_order_relaxed);
  }
  bool leaks() const {
    for (const Step& step : steps_)
      if (step.what == What::kHold || step.what == What::kInitialise) return true;
    return false;
  }

 private:
  enum class What {
    kLock,
    kShared,
    kTry,
    kTryShared,
    kUnlock,
    kUnlockShared,
    kUpgrade,
    kInitialise,
    kAll,
    kHold,
    kPass,
    kEnd,
    kJoin,
    kHoldResource,
    kShareResource,
    kDropResource,
    kAwait,
    kAwaitUnder,
    kAwaitWithDeadline,
    kAwaitIdly,
    kPromise,
    kSet,
    kInterrupt,
    kOff,
    kOn,
    kSleep
  };
  struct Step {
    What what;
    AnyLock* lock;
    AnyLock* interlock = nullptr;
    std::size_t path = 0;
    std::vector<Step> handler = {};
  };
  struct Taken {
    AnyLock* lock;
    bool shared;
  };

  static Step Parse(const std::string& word, LockTable* locks) {
    if (word == "-*") return {What::kAll, nullptr};
    if (word == "hold") return {What::kHold, nullptr};
    if (word == "pass") return {What::kPass, nullptr};
    if (word == "end") return {What::kEnd, nullptr};
    if (word == "off") return {What::kOff, nullptr};
    if (word == "on") return {What::kOn, nullptr};
    if (word == "sleep") return {What::kSleep, nullptr};
    if (word.starts_with("join"))
      return {What::kJoin, nullptr, nullptr, std::stoul(word.substr(4))};
    const std::pair<const char*, What> resource_prefixes[] = {
        {"hr", What::kShareResource}, {"h", What::kHoldResource},
        {"-h", What::kDropResource},  {"wd", What::kAwaitWithDeadline},
        {"wi", What::kAwaitIdly},     {"w", What::kAwait},
        {"set", What::kSet},          {"s", What::kPromise}};
    for (const auto& [prefix, what] : resource_prefixes) {
      if (!word.starts_with(prefix)) continue;
      const std::string name = word.substr(std::string(prefix).size());
      const std::size_t slash = name.find('/');
      AnyLock* resource = &locks->Get(name.substr(0, slash), TestLock::kResource);
      if (slash == std::string::npos) return {what, resource};
      return {What::kAwaitUnder, resource, &locks->Get(name.substr(slash + 1))};
    }
    const std::pair<const char*, What> prefixes[] = {
        {"r-", What::kUnlockShared}, {"tr", What::kTryShared}, {"-", What::kUnlock},
        {"r", What::kShared},        {"t", What::kTry},        {"u", What::kUpgrade},
        {"=", What::kInitialise},    {"", What::kLock}};
    for (const auto& [prefix, what] : prefixes)
      if (word.starts_with(prefix))
        return {what, &locks->Get(word.substr(std::string(prefix).size()))};
    std::abort();
  }
  static std::vector<Step> ParseHandler(std::istringstream* words, LockTable* locks) {
    std::vector<Step> steps;
    for (std::string word; *words >> word && word != "}";) steps.push_back(Parse(word, locks));
    return steps;
  }
  // On the thread of the path, which keeps its own list of what it took.
  void HandleInterrupt() {
    const std::vector<Taken> outer = std::exchange(taken_, {});
    const std::vector<Step> handler = std::exchange(posted_, {});
    try {
      for (const Step& step : handler) Do(step);
    } catch (const FatalFinding&) {
    }
    while (!taken_.empty()) Release(taken_.size() - 1);
    taken_ = outer;
  }
  static void Sleep() {
    SleepQueue queue;
    SpinMutex interlock(kInterlock);
    SpinGuard guard(interlock);
    queue.SleepKeep(&queue, interlock, {.resource_class = &kEvent}, 1).AndRetry();
  }
  static void Await(std::atomic<std::size_t>* turn, std::size_t value) {
    while (turn->load(std::memory_order_relaxed) != value) std::this_thread::yield();
  }
  void Release(std::size_t i) {
    const Taken taken = taken_[i];
    taken_.erase(taken_.begin() + static_cast<std::ptrdiff_t>(i));
    taken.shared ? taken.lock->UnlockShared() : taken.lock->Unlock();
  }
  void Unlock(AnyLock* lock, bool shared) {
    for (std::size_t i = taken_.size(); i-- > 0;)
      if (taken_[i].lock == lock) return Release(i);
    shared ? lock->UnlockShared() : lock->Unlock();
  }
  void MarkExclusive(const AnyLock* lock) {
    for (Taken& taken : taken_)
      if (taken.lock == lock) taken.shared = false;
  }
  void Do(const Step& step) {
    switch (step.what) {
      case What::kLock:
        step.lock->Lock();
        taken_.push_back({step.lock, false});
        return;
      case What::kShared:
        step.lock->LockShared();
        taken_.push_back({step.lock, true});
        return;
      case What::kTry:
        if (step.lock->TryLock()) taken_.push_back({step.lock, false});
        return;
      case What::kTryShared:
        if (step.lock->TryLockShared()) taken_.push_back({step.lock, true});
        return;
      case What::kUpgrade:
        if (step.lock->Upgrade()) MarkExclusive(step.lock);
        return;
      case What::kInitialise:
        std::erase_if(taken_, [&](const Taken& taken) { return taken.lock == step.lock; });
        return step.lock->Initialise();
      case What::kUnlock:
        return Unlock(step.lock, false);
      case What::kUnlockShared:
        return Unlock(step.lock, true);
      case What::kAll:
        while (!taken_.empty()) Release(taken_.size() - 1);
        return;
      case What::kHold:
        hold_ = true;
        return;
      case What::kPass:
        pass_ = true;
        return;
      case What::kJoin:
        return (*join_)(step.path);
      case What::kHoldResource:
        return step.lock->Hold(LockMode::kExclusive);
      case What::kShareResource:
        return step.lock->Hold(LockMode::kShared);
      case What::kDropResource:
        return step.lock->Drop();
      case What::kAwait:
        return step.lock->AwaitResource();
      case What::kAwaitUnder:
        return step.lock->AwaitUnder(*step.interlock);
      case What::kAwaitWithDeadline:
        return step.lock->AwaitWithDeadline();
      case What::kAwaitIdly:
        return step.lock->AwaitIdly();
      case What::kPromise:
        return step.lock->Promise();
      case What::kSet:
        return step.lock->Set();
      case What::kEnd: {
        Operation operation("operation");
        return;
      }
      case What::kInterrupt:
        posted_ = step.handler;
        return interrupt_->Post();
      case What::kOff:
        off_.push_back(std::make_unique<InterruptsOff>());
        return;
      case What::kOn:
        off_.pop_back();
        return;
      case What::kSleep:
        return Sleep();
    }
  }

  std::vector<Step> steps_;
  std::vector<Taken> taken_;
  const Join* join_ = nullptr;
  std::vector<Step> posted_;  // what the handler does when it comes
  std::vector<std::unique_ptr<InterruptsOff>> off_;
  Interrupt* interrupt_ = nullptr;
  bool by_main_ = false;
  bool hold_ = false;
  bool pass_ = false;
};

}  // namespace

ScenarioResult RunScenario(const Scenario& scenario) {
  RecordingSink sink;
  LockOrderWitness witness(scenario.options);
  LockTable locks(scenario);
  std::vector<Path> paths;
  std::vector<bool> joins;  // all paths before it
  for (std::size_t from = 0; from <= scenario.paths.size();) {
    const std::size_t to =
        std::min(scenario.paths.find_first_of(",;", from), scenario.paths.size());
    paths.emplace_back(scenario.paths.substr(from, to - from), &locks);
    joins.push_back(from > 0 && scenario.paths[from - 1] == ';');
    from = to + 1;
  }
  RunContext run;
  run.sink = &sink;
  run.witness = &witness;
  Limits limits(scenario.limits);
  run.limits = &limits;
  const RunContext former = SetRunContext(run);
  std::atomic<std::size_t> turn{0};
  const bool with_interrupts = scenario.paths.find("irq{") != std::string::npos;
  {
    std::map<std::size_t, Thread> joinable;  // by path
    const Path::Join join = [&](std::size_t path) { joinable.at(path - 1).Join(); };
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if (joins[i]) joinable.clear();
      if (paths[i].by_main()) {
        paths[i].Run(&turn, i, paths.size(), with_interrupts, join);
        continue;
      }
      joinable.emplace(i, Thread("path " + std::to_string(i + 1), [&, i] {
                         paths[i].Run(&turn, i, paths.size(), with_interrupts, join);
                       }));
    }
  }
  ScenarioResult result{sink.Summary(), sink.Text(), sink.findings(),
                        witness.Snapshot(LockOrderWitness::Stacks::kNone)};
  SetRunContext(former);
  for (const Path& path : paths)
    if (path.leaks()) locks.Keep();
  return result;
}

}  // namespace locking

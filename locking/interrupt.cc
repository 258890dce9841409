#include "locking/interrupt.h"

#include <algorithm>
#include <string>
#include <utility>

#include "locking/evidence.h"
#include "locking/futex.h"
#include "locking/interrupt_state.h"
#include "locking/witness.h"

namespace locking {
namespace {

constexpr std::uint32_t kWatchBits = kWatchInterrupts | kWatchHeld;

// By a function that no sanitizer looks at: fibres share the word.
void SetWatch(std::uint32_t watch) {
  ThreadWord word = t_word;
  word.watch = watch;
  InstallThreadWord(word);
}

bool TurnsOff(const LockClass& lock_class) {
  return lock_class.kind() == LockKind::kSpin && !lock_class.Has(LockClassFlags::kInterruptsOn);
}

// What the thread was about to do stands still meanwhile, a wait too.
class HandlerFrame {
 public:
  HandlerFrame(ThreadState& self, const Interrupt& interrupt, Site site)
      : self_(self), wait_(self), off_(self.interrupts->off) {
    ++self.interrupts->off;
    self.interrupts->handler = &interrupt;
    self.held.BeginInterrupt(&interrupt, interrupt.lock_class(), interrupt.instance(), site);
  }
  ~HandlerFrame() {
    self_.held.EndInterrupt();
    self_.interrupts->handler = nullptr;
    self_.interrupts->off = off_;
  }
  HandlerFrame(const HandlerFrame&) = delete;

 private:
  ThreadState& self_;
  SuspendedWait wait_;
  const std::uint32_t off_;
};

// What a handler does that it must not; `what` follows its name.
Finding InHandler(const ThreadState& self, const char* id, const std::string& what,
                  const std::string& signature, Site site) {
  const std::string handler = "the handler of " + self.interrupts->handler->lock_class().name();
  Finding finding;
  finding.id = id;
  finding.title = handler + " " + what;
  finding.signature = finding.id + ": " + handler + ", " + signature + " at " + FormatSite(site);
  if (self.executor == nullptr || self.executor->wants_evidence())
    finding.threads.push_back(EvidenceOfCaller("in " + handler));
  return finding;
}

void RunPosted(ThreadState& self, Site site) {
  while (Interrupt* interrupt = self.interrupts->TakePost()) RunHandler(self, *interrupt, site);
}

}  // namespace

Interrupt::Interrupt(const LockClass& lock_class, std::function<void()> handler,
                     std::uint32_t instance)
    : LockBase(lock_class, instance), handler_(std::move(handler)) {}

Interrupt::~Interrupt() {
  if (!lines_.empty() || Watched(kWatchWitness))
    watch::Destroyed(*this, lines_.empty() ? watch::Usage::kFree : watch::Usage::kInUse);
}

void Interrupt::Post(Site site) {
  ThreadState& self = Self();
  if (self.executor != nullptr) {
    self.executor->AtPoint(PointKind::kWakeup, this, class_, site);
    self.executor->PostInterrupt(*this);
    return;
  }
  {
    std::lock_guard lock(mutex_);
    for (TakesInterrupt* line : lines_) {
      line->posts_.fetch_add(1, std::memory_order_release);
      line->thread_.park_token.fetch_or(kParkInterrupted, std::memory_order_release);
      FutexWake(line->thread_.park_token, 1);
    }
  }
  if (Watched(kWatchInterrupts)) interrupts::AtPoint(self, site);
}

TakesInterrupt::TakesInterrupt(Interrupt& interrupt) : interrupt_(interrupt), thread_(Self()) {
  if (thread_.interrupts == nullptr) thread_.interrupts = std::make_unique<InterruptState>();
  thread_.interrupts->lines.push_back(this);
  SetWatch(t_word.watch | kWatchBits);
  if (thread_.executor != nullptr) {
    thread_.executor->TakeInterrupt(interrupt, interrupt.ticks_.load(std::memory_order_relaxed));
    return;
  }
  std::lock_guard lock(interrupt.mutex_);
  interrupt.lines_.push_back(this);
}

TakesInterrupt::~TakesInterrupt() {
  if (thread_.executor != nullptr) {
    thread_.executor->LeaveInterrupt(interrupt_);
  } else {
    std::lock_guard lock(interrupt_.mutex_);
    std::erase(interrupt_.lines_, this);
  }
  std::erase(thread_.interrupts->lines, this);
  if (thread_.interrupts->lines.empty())
    SetWatch((t_word.watch & ~kWatchBits) | WordOf(thread_).watch);
}

InterruptsOff::InterruptsOff(Site site) : site_(site), counts_(Watched(kWatchInterrupts)) {
  if (counts_) interrupts::TurnOff(Self(), site);
}

InterruptsOff::~InterruptsOff() {
  if (counts_) interrupts::TurnOn(Self(), site_);
}

bool InInterrupt() {
  return Watched(kWatchInterrupts) && t_word.self->interrupts->handler != nullptr;
}

Interrupt* InterruptState::TakePost() {
  for (TakesInterrupt* line : lines) {
    if (line->posts_.load(std::memory_order_acquire) == 0) continue;
    line->posts_.fetch_sub(1, std::memory_order_acquire);
    return &line->interrupt_;
  }
  return nullptr;
}

void RunHandler(ThreadState& self, Interrupt& interrupt, Site site) {
  HandlerFrame frame(self, interrupt, site);
  interrupt.handler_();
  if (self.run.witness != nullptr)
    self.run.witness->AtOperationEnd(self, ("the handler of " + interrupt.class_->name()).c_str());
}

namespace interrupts {

void TurnOff(ThreadState& self, Site site) {
  if (self.interrupts->off == 0) {
    if (self.executor != nullptr)
      self.executor->AtPoint(PointKind::kInterruptsOff, nullptr, nullptr, site);
    else
      RunPosted(self, site);
  }
  ++self.interrupts->off;
}

void TurnOn(ThreadState& self, Site site) {
  if (--self.interrupts->off == 0) AtPoint(self, site);
}

void AtPoint(ThreadState& self, Site site) {
  if (self.interrupts->off != 0) return;
  for (const TakesInterrupt* line : self.interrupts->lines)
    watch::BeforeAcquire(self, self.interrupts->InterruptOf(*line), LockMode::kExclusive,
                         Attempt::kBlocking, site);
  if (self.executor == nullptr) RunPosted(self, site);
}

void BeforeWait(const ThreadState& self, const LockBase& lock, Site site) {
  if (self.interrupts->handler == nullptr) return;
  for (std::uint32_t i = 0; i < self.held.interrupted_size(); ++i) {
    const HeldLock& held = self.held.at(i);
    if (held.lock.load(std::memory_order_relaxed) != &lock) continue;
    Finding finding = InHandler(self, "LK06",
                                "waits for " + FormatLock(lock.lock_class(), lock.instance()) +
                                    ", which the thread that it interrupts holds",
                                "waiting for " + lock.lock_class().name(), site);
    finding.tier = "confirmed";
    const std::uint32_t handler = self.interrupts->handler->lock_class().id();
    finding.cycle = {{lock.lock_class().id(), handler, self.held.own(0).site},
                     {handler, lock.lock_class().id(), site}};
    Fail(std::move(finding));
  }
}

void BeforeSleep(const ThreadState& self, const LockClass& resource_class, std::uint32_t instance,
                 Site site) {
  if (self.interrupts->handler == nullptr) return;
  Fail(InHandler(self, "LK05", "sleeps for " + FormatLock(resource_class, instance),
                 "sleeping for " + resource_class.name(), site));
}

Acquisition::Acquisition(ThreadState& self, const LockBase& lock, Site site)
    : self_(self), site_(site), turns_off_(TurnsOff(lock.lock_class())) {
  if (turns_off_) TurnOff(self, site);
}

Acquisition::~Acquisition() {
  if (turns_off_ && !acquired_) --self_.interrupts->off;
}

void Acquisition::Acquired() {
  acquired_ = true;
  AtPoint(self_, site_);
}

void AfterRelease(ThreadState& self, const LockBase& lock, Site site) {
  if (TurnsOff(lock.lock_class()) && self.interrupts->off != 0)
    TurnOn(self, site);
  else
    AtPoint(self, site);
}

}  // namespace interrupts
}  // namespace locking

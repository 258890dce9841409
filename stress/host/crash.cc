#include "stress/host/crash.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/debugging/symbolize.h"
#include "locking/thread_state.h"
#include "stress/config/error.h"

extern "C" {
// Of the runtimes; absent in other builds.
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());
__attribute__((weak)) const char* __asan_get_report_description();
__attribute__((weak)) int __asan_report_present();
__attribute__((weak)) void* __asan_get_report_pc();
__attribute__((weak)) void* __asan_get_report_bp();
__attribute__((weak)) void __tsan_init();
__attribute__((weak)) void __ubsan_get_current_report_data(const char** kind, const char** message,
                                                           const char** file, unsigned* line,
                                                           unsigned* column, char** address);
// Called by the runtime.
void __ubsan_on_report();
}

namespace stress {
namespace {

struct Signal {
  int number;
  const char* name;
};
constexpr Signal kSignals[] = {{SIGSEGV, "SIGSEGV"},
                               {SIGBUS, "SIGBUS"},
                               {SIGABRT, "SIGABRT"},
                               {SIGILL, "SIGILL"},
                               {SIGFPE, "SIGFPE"}};
constexpr std::size_t kSignalCount = std::size(kSignals);

// A text of fixed size, as part of a JSON string; what does not fit is left out.
template <std::size_t kBytes>
class FixedText {
 public:
  void Add(std::string_view text) {
    for (const char c : text) {
      if (size_ + 2 > kBytes) return;
      if (c == '"' || c == '\\') text_[size_++] = '\\';
      text_[size_++] = static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  void AddRaw(std::string_view text) {
    if (size_ + text.size() > kBytes) return;
    std::memcpy(text_ + size_, text.data(), text.size());
    size_ += text.size();
  }
  void AddNumber(std::uint64_t number, int base) {
    char digits[20];
    const char* end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
    Add({digits, static_cast<std::size_t>(end - digits)});
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[kBytes];
  std::size_t size_ = 0;
};

enum Blank : std::uint8_t { kId, kTitle, kSignature, kThread, kStack, kBlanks };
constexpr std::string_view kMarks[kBlanks] = {"<<crash id>>", "<<crash title>>",
                                              "<<crash signature>>", "<<crash thread>>",
                                              "<<crash stack>>"};

constexpr int kMaxFrames = 32;

// What the dying thread says. Static: its stack may be all used up.
struct Facts {
  FixedText<16> id;
  FixedText<512> title;
  FixedText<1024> signature;
  FixedText<128> thread;
  FixedText<16384> stack;  // the frames, as the strings of a JSON array
  FixedText<16384> lines;  // the same for a terminal
  std::uintptr_t frames[kMaxFrames];
  int frame_count;

  std::string_view Fill(Blank blank) const {
    switch (blank) {
      case kId:
        return id.view();
      case kTitle:
        return title.view();
      case kSignature:
        return signature.view();
      case kThread:
        return thread.view();
      default:
        return stack.view();
    }
  }
};

// A text, cut at its marks.
class Template {
 public:
  explicit Template(std::string text) : text_(std::move(text)) {
    std::size_t from = 0;
    for (;;) {
      std::size_t at = std::string::npos;
      Blank blank = kBlanks;
      for (std::uint8_t i = 0; i < kBlanks; ++i) {
        const std::size_t found = text_.find(kMarks[i], from);
        if (found >= at) continue;
        at = found;
        blank = static_cast<Blank>(i);
      }
      parts_.push_back({from, std::min(at, text_.size()) - from, blank});
      if (blank == kBlanks) break;
      from = at + kMarks[blank].size();
    }
    pieces_.resize(parts_.size() * 2);
  }

  std::span<const std::string_view> FilledIn(const Facts& facts) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Part& part = parts_[i];
      pieces_[2 * i] = std::string_view(text_).substr(part.start, part.size);
      if (part.blank != kBlanks) pieces_[2 * i + 1] = facts.Fill(part.blank);
    }
    return pieces_;
  }

 private:
  struct Part {
    std::size_t start, size;
    Blank blank;  // behind it; kBlanks: the text's end
  };
  const std::string text_;
  std::vector<Part> parts_;
  std::vector<std::string_view> pieces_;
};

struct LastWords {
  std::optional<OutputPlace> place;
  Template document;
  Template summary;
};

// Whoever takes it owns it: the thread that dies, or the one that prepares the next.
std::atomic<LastWords*> g_last_words{nullptr};
std::atomic<bool> g_watched{false};
std::atomic<pid_t> g_dying{0};
Facts g_facts;
struct sigaction g_former[kSignalCount];
char g_undefined[256];  // the last report of UndefinedBehaviorSanitizer
alignas(16) char g_signal_stack[1 << 16];

pid_t ThreadId() { return static_cast<pid_t>(syscall(SYS_gettid)); }

// The first thread that dies speaks; the others wait for its end.
void BeTheOneToDie() {
  pid_t nobody = 0;
  if (g_dying.compare_exchange_strong(nobody, ThreadId())) return;
  if (nobody == ThreadId()) _exit(kExitFailed);  // it failed while it told of its failure
  for (;;) pause();
}

// Two words of this process, wherever they are.
bool ReadPair(std::uintptr_t address, std::uintptr_t pair[2]) {
  iovec to{pair, 2 * sizeof(std::uintptr_t)};
  iovec from{reinterpret_cast<void*>(address), 2 * sizeof(std::uintptr_t)};
  return syscall(SYS_process_vm_readv, getpid(), &to, 1ul, &from, 1ul, 0ul) ==
         static_cast<long>(to.iov_len);
}

void WalkFrames(std::uintptr_t program_counter, std::uintptr_t frame) {
  int& n = g_facts.frame_count;
  g_facts.frames[n++] = program_counter;
  std::uintptr_t pair[2];
  while (n < kMaxFrames && frame % sizeof(void*) == 0 && ReadPair(frame, pair) && pair[1] != 0) {
    g_facts.frames[n++] = pair[1] - 1;  // in the call, not behind it
    if (pair[0] <= frame) break;
    frame = pair[0];
  }
}

void NoteStack(const char* what) {
  static char symbol[512];
  g_facts.signature.AddRaw(g_facts.id.view());
  g_facts.signature.Add(": ");
  g_facts.signature.Add(what);
  for (int i = 0; i < g_facts.frame_count; ++i) {
    auto* address = reinterpret_cast<void*>(g_facts.frames[i]);
    const bool known = absl::Symbolize(address, symbol, sizeof symbol);
    const std::string_view name = known ? symbol : "(unknown function)";
    if (i > 0) g_facts.stack.AddRaw("\", \"");
    g_facts.stack.Add(name);
    g_facts.lines.AddRaw("    ");
    g_facts.lines.AddRaw(name);
    g_facts.lines.AddRaw("\n");
    if (i == 0) {
      g_facts.signature.Add(" in ");
      g_facts.signature.Add(name);
    }
  }
}

void NoteThread() {
  const locking::ThreadState* self = locking::t_word.self;
  g_facts.thread.Add(self == nullptr ? "a thread of the host" : std::string_view(self->name));
}

void Print(int fd, std::span<const std::string_view> pieces) {
  for (std::string_view piece : pieces)
    if (write(fd, piece.data(), piece.size()) < 0) return;
}

[[noreturn]] void SpeakAndDie() {
  if (LastWords* words = g_last_words.exchange(nullptr); words != nullptr) {
    if (words->place.has_value()) WriteTo(*words->place, words->document.FilledIn(g_facts));
    Print(STDOUT_FILENO, words->summary.FilledIn(g_facts));
  }
  _exit(kExitFailed);
}

void NoteSignal(const Signal& signal, const siginfo_t& info, const void* context) {
  g_facts.id.Add("CRASH");
  g_facts.title.Add(signal.name);
  if (info.si_code <= 0 && info.si_pid != getpid()) {
    g_facts.title.Add(" sent by process ");
    g_facts.title.AddNumber(static_cast<std::uint64_t>(info.si_pid), 10);
  } else if (info.si_code > 0) {
    g_facts.title.Add(" at address 0x");
    g_facts.title.AddNumber(reinterpret_cast<std::uintptr_t>(info.si_addr), 16);
  }
  NoteThread();
  const mcontext_t& registers = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  WalkFrames(static_cast<std::uintptr_t>(registers.gregs[REG_RIP]),
             static_cast<std::uintptr_t>(registers.gregs[REG_RBP]));
#elif defined(__aarch64__)
  WalkFrames(registers.pc, registers.regs[29]);
#else
#error "where are the program counter and the frame pointer?"
#endif
  NoteStack(signal.name);
}

void OnSignal(int number, siginfo_t* info, void* context) {
  BeTheOneToDie();
  std::size_t i = 0;
  while (kSignals[i].number != number) ++i;
  NoteSignal(kSignals[i], *info, context);
  const struct sigaction& former = g_former[i];
  // A sanitizer's: it prints its report and calls OnDeath. ThreadSanitizer's does not call it.
  if ((former.sa_flags & SA_SIGINFO) != 0 && __tsan_init == nullptr)
    former.sa_sigaction(number, info, context);
  const std::string_view report[] = {"CRASH: ", g_facts.title.view(), "\n  ", g_facts.thread.view(),
                                     "\n",      g_facts.lines.view()};
  Print(STDERR_FILENO, report);
  SpeakAndDie();
}

// The runtime is about to end the process, with its report printed.
void OnDeath() {
  if (!g_watched.load()) return;
  if (!g_facts.id.view().empty()) SpeakAndDie();  // by the signal that was noted
  BeTheOneToDie();
  const bool memory = __asan_report_present != nullptr && __asan_report_present() != 0;
  const char* what = memory ? __asan_get_report_description() : g_undefined;
  if (*what == '\0') what = "a sanitizer's report";
  g_facts.id.Add(memory ? "ASAN" : "UBSAN");
  g_facts.title.Add(what);
  NoteThread();
  if (memory)
    WalkFrames(reinterpret_cast<std::uintptr_t>(__asan_get_report_pc()),
               reinterpret_cast<std::uintptr_t>(__asan_get_report_bp()));
  else
    WalkFrames(reinterpret_cast<std::uintptr_t>(&OnDeath),
               reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
  NoteStack(what);
  SpeakAndDie();
}

// For a stack that is all used up; a sanitizer has set up its own.
void InstallSignalStack() {
  stack_t now;
  if (sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) return;
  const stack_t own{g_signal_stack, 0, sizeof g_signal_stack};
  sigaltstack(&own, nullptr);
}

}  // namespace

locking::Finding BlankFinding(std::string replay) {
  locking::Finding finding;
  finding.id = kMarks[kId];
  finding.title = kMarks[kTitle];
  finding.signature = kMarks[kSignature];
  finding.replay = std::move(replay);
  finding.threads.push_back(
      {std::string(kMarks[kThread]), "died", {}, {std::string(kMarks[kStack])}});
  return finding;
}

CrashWatch::CrashWatch(const OutputFile* file) : file_(file) {
  InstallSignalStack();
  struct sigaction action = {};
  action.sa_sigaction = OnSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (std::size_t i = 0; i < kSignalCount; ++i)
    sigaction(kSignals[i].number, &action, &g_former[i]);
  if (__sanitizer_set_death_callback != nullptr && __tsan_init == nullptr)
    __sanitizer_set_death_callback(OnDeath);
  g_watched.store(true);
}

CrashWatch::~CrashWatch() {
  g_watched.store(false);
  for (std::size_t i = 0; i < kSignalCount; ++i)
    sigaction(kSignals[i].number, &g_former[i], nullptr);
  delete g_last_words.exchange(nullptr);
}

void CrashWatch::Prepare(const std::string& document, const std::string& summary) {
  std::optional<OutputPlace> place;
  if (file_ != nullptr) place = file_->Place();
  delete g_last_words.exchange(
      new LastWords{std::move(place), Template(document), Template(summary)});
}

}  // namespace stress

extern "C" void __ubsan_on_report() {
  if (__ubsan_get_current_report_data == nullptr) return;
  const char *kind = "", *message = "", *file = "";
  unsigned line = 0, column = 0;
  char* address = nullptr;
  __ubsan_get_current_report_data(&kind, &message, &file, &line, &column, &address);
  std::snprintf(stress::g_undefined, sizeof stress::g_undefined, "%s: %s at %s:%u", kind, message,
                file, line);
}

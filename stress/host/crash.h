// What is left of a command whose process dies: by SIGSEGV, SIGBUS, SIGABRT, SIGILL or SIGFPE, or
// by a report of AddressSanitizer or UndefinedBehaviorSanitizer. What it was to write is prepared
// while all is well, with one failure left blank in it. The dying thread fills in the blanks and
// ends the process with exit code 1; a sanitizer has printed its own report by then.
//
// Thread safety: one CrashWatch at a time; Prepare by one thread. What happens in the dying thread
// is async-signal-safe.
#ifndef STRESS_HOST_CRASH_H_
#define STRESS_HOST_CRASH_H_

#include <string>

#include "locking/finding.h"
#include "stress/host/files.h"

namespace stress {

// The failure that a prepared text holds. Its texts are the blanks, filled in as
//   id         CRASH, ASAN or UBSAN
//   title      "SIGSEGV at address 0x10", "heap-use-after-free"
//   signature  what it was, and in which function
//   threads    the dying one, by name and stack
locking::Finding BlankFinding(std::string replay);

class CrashWatch {
 public:
  // `file` is where the document goes; nullptr: nowhere. It must outlive this.
  explicit CrashWatch(const OutputFile* file);
  ~CrashWatch();
  CrashWatch(const CrashWatch&) = delete;

  // What is written from now on: `document` to the file, `summary` to standard output. Both may
  // hold what became of BlankFinding.
  void Prepare(const std::string& document, const std::string& summary);

 private:
  const OutputFile* const file_;
};

}  // namespace stress

#endif  // STRESS_HOST_CRASH_H_

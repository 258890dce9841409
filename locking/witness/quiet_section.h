// A critical section of the witness. For a fibre it is invisible to ThreadSanitizer: the mutex
// would otherwise order the fibres of an execution and hide the races that the exploration looks
// for.
#ifndef LOCKING_WITNESS_QUIET_SECTION_H_
#define LOCKING_WITNESS_QUIET_SECTION_H_

#include <mutex>

#include "locking/thread_state.h"

// Present in TSan builds only.
extern "C" {
__attribute__((weak)) void AnnotateIgnoreSyncBegin(const char* file, int line);
__attribute__((weak)) void AnnotateIgnoreSyncEnd(const char* file, int line);
__attribute__((weak)) void AnnotateIgnoreReadsBegin(const char* file, int line);
__attribute__((weak)) void AnnotateIgnoreReadsEnd(const char* file, int line);
__attribute__((weak)) void AnnotateIgnoreWritesBegin(const char* file, int line);
__attribute__((weak)) void AnnotateIgnoreWritesEnd(const char* file, int line);
}

namespace locking {

class QuietSection {
 public:
  QuietSection(std::mutex& mutex, const ThreadState& self)
      : mutex_(mutex), invisible_(self.executor != nullptr && AnnotateIgnoreSyncBegin != nullptr) {
    if (invisible_) {
      AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
      AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
      AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
    }
    mutex_.lock();
  }
  ~QuietSection() {
    mutex_.unlock();
    if (invisible_) {
      AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
      AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
      AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
    }
  }
  QuietSection(const QuietSection&) = delete;

 private:
  std::mutex& mutex_;
  const bool invisible_;
};

}  // namespace locking

#endif  // LOCKING_WITNESS_QUIET_SECTION_H_

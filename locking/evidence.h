// A thread's part of a finding, from its descriptor.
#ifndef LOCKING_EVIDENCE_H_
#define LOCKING_EVIDENCE_H_

#include <string>

#include "locking/finding.h"
#include "locking/thread_state.h"

namespace locking {

// The calling thread: its held locks and its stack now.
ThreadEvidence EvidenceOfCaller(std::string what);
// Any thread, at any time: its held locks, what it waits for, and the stack it saved before it
// blocked (none if it runs).
ThreadEvidence EvidenceOf(const ThreadState& thread);
// "object #7"
std::string FormatLock(const LockClass& lock_class, std::uint32_t instance);
// "object #7 (exclusive) at vm/fault.cc:88", in order of acquisition.
std::vector<std::string> FormatHeld(const ThreadState& thread);

}  // namespace locking

#endif  // LOCKING_EVIDENCE_H_

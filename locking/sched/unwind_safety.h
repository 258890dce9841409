// Whether an exception may be thrown here: a thread whose execution is given up stands anywhere, in
// a destructor, perhaps, that nothing may leave by an exception. The compiler's exception tables
// say so: they are walked from the caller up to the first frame that would catch.
//
// Thread safety: none needed; looks at the caller's own stack and at constants.
#ifndef LOCKING_SCHED_UNWIND_SAFETY_H_
#define LOCKING_SCHED_UNWIND_SAFETY_H_

namespace locking {

// False: an ExecutionAbandoned thrown by the caller would meet a noexcept function before a
// handler, and end in std::terminate. Takes some microseconds.
bool UnwindingIsSafeHere();

}  // namespace locking

#endif  // LOCKING_SCHED_UNWIND_SAFETY_H_

// Clang thread-safety annotations, prefixed because abseil defines the plain names; empty for other
// compilers.
#ifndef LOCKING_ANNOTATIONS_H_
#define LOCKING_ANNOTATIONS_H_

#if defined(__clang__)
#define LOCKING_ATTRIBUTE(x) __attribute__((x))
#else
#define LOCKING_ATTRIBUTE(x)
#endif

#define LOCKING_CAPABILITY(name) LOCKING_ATTRIBUTE(capability(name))
#define LOCKING_SCOPED_CAPABILITY LOCKING_ATTRIBUTE(scoped_lockable)
#define LOCKING_GUARDED_BY(x) LOCKING_ATTRIBUTE(guarded_by(x))
#define LOCKING_PT_GUARDED_BY(x) LOCKING_ATTRIBUTE(pt_guarded_by(x))
#define LOCKING_REQUIRES(...) LOCKING_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define LOCKING_REQUIRES_SHARED(...) LOCKING_ATTRIBUTE(requires_shared_capability(__VA_ARGS__))
#define LOCKING_ACQUIRE(...) LOCKING_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define LOCKING_ACQUIRE_SHARED(...) LOCKING_ATTRIBUTE(acquire_shared_capability(__VA_ARGS__))
#define LOCKING_RELEASE(...) LOCKING_ATTRIBUTE(release_capability(__VA_ARGS__))
#define LOCKING_RELEASE_SHARED(...) LOCKING_ATTRIBUTE(release_shared_capability(__VA_ARGS__))
#define LOCKING_RELEASE_GENERIC(...) LOCKING_ATTRIBUTE(release_generic_capability(__VA_ARGS__))
#define LOCKING_TRY_ACQUIRE(...) LOCKING_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define LOCKING_TRY_ACQUIRE_SHARED(...) \
  LOCKING_ATTRIBUTE(try_acquire_shared_capability(__VA_ARGS__))
#define LOCKING_EXCLUDES(...) LOCKING_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define LOCKING_ASSERT(x) LOCKING_ATTRIBUTE(assert_capability(x))
#define LOCKING_ASSERT_SHARED(x) LOCKING_ATTRIBUTE(assert_shared_capability(x))
#define LOCKING_RETURN_CAPABILITY(x) LOCKING_ATTRIBUTE(lock_returned(x))
#define LOCKING_ACQUIRED_BEFORE(...) LOCKING_ATTRIBUTE(acquired_before(__VA_ARGS__))
#define LOCKING_NO_ANALYSIS LOCKING_ATTRIBUTE(no_thread_safety_analysis)

// Bookkeeping of the executors and of thread identity: it moves between fibres without a
// happens-before edge on purpose, so no sanitizer may look at it. Works on gcc and clang.
#if defined(__clang__)
#define LOCKING_UNINSTRUMENTED __attribute__((disable_sanitizer_instrumentation))
#else
#define LOCKING_UNINSTRUMENTED __attribute__((no_sanitize("thread", "address", "undefined")))
#endif

#endif  // LOCKING_ANNOTATIONS_H_

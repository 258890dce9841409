// A file of the machine under test, and what everybody knows of it: its size, and what its pages
// hold. Its size changes as a word does: in the midst of a change both sizes are possible.
//
// What is mapped of a file that is taken away stays as it is in memory, and goes no further; the
// file, opened again, is another thing. So each has its FileLife.
//
// Thread safety: all functions may be called by any thread.
#ifndef TESTS_MODEL_MODEL_FILE_H_
#define TESTS_MODEL_MODEL_FILE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "locking/mutex.h"
#include "tests/model/contents.h"
#include "tests/model/model_store.h"
#include "vm/system.h"

namespace vm {

inline constexpr std::uint32_t kMaxFilePages = 8;

class FileLife {
 public:
  explicit FileLife(std::uint64_t size);
  Contents& page(Pindex index) { return *pages_[index]; }
  // Whether the file ended before the page, or the word, at some moment between; or at all of them.
  bool MayLack(Pindex index, Time begin, Time now) const;
  bool Lacks(Pindex index, Time begin, Time now) const;
  bool MayEndBefore(Pindex index, std::uint32_t word, Time begin, Time now) const;

  // Being taken away, or it was: what is not in memory is gone.
  bool revoked() const { return revocation_ != Revocation::kNo; }
  bool was_revoked() const { return revocation_ == Revocation::kDone; }

  // By whoever changes the file.
  std::uint64_t size() const { return size_; }
  void BeginTruncate(std::uint64_t size, Time now);
  void EndTruncate(std::uint64_t size, Time now, Register::Outcome outcome);
  void BeginRevoke() { revocation_ = Revocation::kUnderWay; }
  void EndRevoke(Time begin, Time now);
  // What the file begins with when it is opened again after its revocation.
  std::shared_ptr<FileLife> next() const { return next_; }

 private:
  // Calls act(word, reach) for each that a change to `size` makes 0.
  template <typename Act>
  void ForEachCut(std::uint64_t size, Act act);

  std::array<std::unique_ptr<Contents>, kMaxFilePages> pages_;
  Register sizes_;
  std::uint64_t size_;
  enum class Revocation : std::uint8_t { kNo, kUnderWay, kDone };
  std::atomic<Revocation> revocation_{Revocation::kNo};
  std::shared_ptr<FileLife> next_;
};

class ModelFile {
 public:
  explicit ModelFile(const StoreFaults& faults);
  ModelFile(const ModelFile&) = delete;

  // What whoever uses the file has of it, while it is open.
  struct Opened {
    Vnode* vnode = nullptr;
    std::shared_ptr<FileLife> life;
  };
  // With one use more; vnode == nullptr: it is closed.
  Opened Use();
  // Without one: by whoever changes the file, or while nobody does.
  Opened opened();

  // Its size, its vnode or its life. One thread at a time: false.
  [[nodiscard]] bool TryBeginChange();
  void EndChange();
  void SetOpened(const Opened& opened);

  ModelBackingFile backing;

 private:
  locking::Mutex mutex_;
  bool changing_ LOCKING_GUARDED_BY(mutex_) = false;
  Opened opened_ LOCKING_GUARDED_BY(mutex_);
};

}  // namespace vm

#endif  // TESTS_MODEL_MODEL_FILE_H_

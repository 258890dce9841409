#include "tests/witness/oracle/program.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace locking::oracle {
namespace {

using Renaming = std::array<std::uint8_t, kLocks>;

std::vector<Renaming> RenamingsOf(const Kinds& kinds) {
  std::vector<Renaming> all;
  Renaming names;
  std::iota(names.begin(), names.end(), 0);
  do {
    bool fits = true;
    for (int i = 0; i < kLocks; ++i) fits = fits && kinds[i] == kinds[names[i]];
    if (fits) all.push_back(names);
  } while (std::next_permutation(names.begin(), names.end()));
  return all;
}

// Between two acquisitions, and at the end, locks are released in order of their names.
void SortReleases(Path* path) {
  for (auto from = path->begin(); from != path->end();) {
    const auto taken = [](Operation o) { return o.what != Do::kUnlock; };
    const auto to = std::find_if(from, path->end(), taken);
    std::sort(from, to, [](Operation a, Operation b) { return a.lock < b.lock; });
    from = std::find_if_not(to, path->end(), taken);
  }
}

Path Renamed(const Path& path, const Renaming& names) {
  Path renamed = path;
  for (Operation& operation : renamed) operation.lock = names[operation.lock];
  SortReleases(&renamed);
  return renamed;
}

std::string Key(const Path& path) {
  std::string key;
  for (Operation o : path) key += static_cast<char>(static_cast<int>(o.what) * kLocks + o.lock + 1);
  return key;
}

// All paths for locks of these kinds, by number of acquisitions.
class Paths {
 public:
  Paths(const Space& space, const Kinds& kinds) : space_(space), kinds_(kinds) {
    first_.push_back(0);
    for (int n = 1; n <= space.per_thread; ++n) {
      first_.push_back(static_cast<int>(all_.size()));
      Extend({}, 0, n);
    }
    first_.push_back(static_cast<int>(all_.size()));
    Rename();
  }

  const Path& at(int i) const { return all_[i]; }
  int acquisitions(int i) const { return acquisitions_[i]; }
  // Paths of at most n acquisitions are those below this number.
  int end(int n) const { return first_[std::min(n, space_.per_thread) + 1]; }
  std::uint8_t locks(int i) const { return locks_[i]; }
  // Whether no other naming of the locks gives a smaller list of paths; they are sorted.
  bool Canonical(const std::vector<int>& paths) {
    for (const std::vector<int>& renamed : renamed_) {
      image_.clear();
      for (int path : paths) image_.push_back(renamed[path]);
      std::sort(image_.begin(), image_.end());
      if (image_ < paths) return false;
    }
    return true;
  }

 private:
  std::vector<Do> WaysToTake(int lock) const {
    const bool mutex = kinds_[lock] == Kind::kMutex;
    const bool tries =
        space_.tries == Tries::kOfAll || (space_.tries == Tries::kOfMutexes && mutex);
    if (mutex) return tries ? std::vector{Do::kLock, Do::kTry} : std::vector{Do::kLock};
    return tries ? std::vector{Do::kLock, Do::kRead, Do::kTry, Do::kTryRead}
                 : std::vector{Do::kLock, Do::kRead};
  }
  // With `held` at the end of `path`, adds all that go on with `left` acquisitions.
  void Extend(const Path& path, unsigned held, int left) {
    if (left == 0) return Finish(path, held);
    for (unsigned released = 0; released < 1u << kLocks; ++released) {
      if ((released & ~held) != 0) continue;
      const unsigned kept = held & ~released;
      Path next = path;
      Release(&next, released);
      for (std::uint8_t lock = 0; lock < kLocks; ++lock) {
        if ((kept >> lock & 1u) != 0) continue;
        for (Do what : WaysToTake(lock)) {
          next.push_back({what, lock});
          Extend(next, kept | 1u << lock, left - 1);
          next.pop_back();
        }
      }
    }
  }
  static void Release(Path* path, unsigned released) {
    for (std::uint8_t lock = 0; lock < kLocks; ++lock)
      if ((released >> lock & 1u) != 0) path->push_back({Do::kUnlock, lock});
  }
  void Finish(Path path, unsigned held) {
    Release(&path, held);
    int taken = 0;
    unsigned locks = 0;
    for (Operation o : path) {
      taken += o.what != Do::kUnlock ? 1 : 0;
      locks |= 1u << o.lock;
    }
    all_.push_back(std::move(path));
    acquisitions_.push_back(taken);
    locks_.push_back(static_cast<std::uint8_t>(locks));
  }
  void Rename() {
    std::map<std::string, int> number;
    for (std::size_t i = 0; i < all_.size(); ++i) number[Key(all_[i])] = static_cast<int>(i);
    for (const Renaming& names : RenamingsOf(kinds_)) {
      renamed_.emplace_back();
      for (const Path& path : all_) renamed_.back().push_back(number.at(Key(Renamed(path, names))));
    }
  }

  const Space& space_;
  const Kinds& kinds_;
  std::vector<Path> all_;
  std::vector<int> acquisitions_;
  std::vector<std::uint8_t> locks_;        // bits
  std::vector<int> first_;                 // by number of acquisitions
  std::vector<std::vector<int>> renamed_;  // by renaming, then by path
  std::vector<int> image_;                 // scratch space of Canonical
};

class Enumeration {
 public:
  Enumeration(const Space& space, const Kinds& kinds, int share, int shares,
              const std::function<void(const Program&)>& visit)
      : paths_(space, kinds), share_(share), shares_(shares), visit_(visit) {
    program_.kinds = kinds;
    for (int i = 0; i < kLocks; ++i)
      if (kinds[i] == Kind::kRw) needed_ |= 1u << i;
    Add(space.acquisitions, 0);
  }

 private:
  // Adds a thread with at most `left` acquisitions and no smaller path than the one before.
  void Add(int left, unsigned locks) {
    const int from = chosen_.empty() ? 0 : chosen_.back();
    for (int path = from; path < paths_.end(left); ++path) {
      chosen_.push_back(path);
      program_.threads.push_back(&paths_.at(path));
      const unsigned used = locks | paths_.locks(path);
      // An rw lock that nobody uses would be a mutex that nobody uses.
      if ((used & needed_) == needed_ && paths_.Canonical(chosen_) && seen_++ % shares_ == share_)
        visit_(program_);
      if (static_cast<int>(chosen_.size()) < kThreads) Add(left - paths_.acquisitions(path), used);
      chosen_.pop_back();
      program_.threads.pop_back();
    }
  }

  Paths paths_;
  const int share_;
  const int shares_;
  const std::function<void(const Program&)>& visit_;
  unsigned needed_ = 0;
  std::vector<int> chosen_;
  Program program_;
  std::int64_t seen_ = 0;
};

}  // namespace

std::string Text(const Program& program) {
  static constexpr const char* kPrefix[] = {"", "t", "r", "tr", "-"};
  std::string text;
  for (const Path* path : program.threads) {
    text += text.empty() ? "" : ", ";
    std::size_t last = path->size();
    while ((*path)[last - 1].what == Do::kUnlock) --last;
    for (std::size_t i = 0; i < last; ++i) {
      const Operation o = (*path)[i];
      text += i == 0 ? "" : " ";
      text += kPrefix[static_cast<int>(o.what)];
      text += static_cast<char>('A' + o.lock);
    }
  }
  for (int i = 0; i < kLocks; ++i)
    if (program.kinds[i] == Kind::kRw)
      text += std::string(" (") + static_cast<char>('A' + i) + " rw)";
  return text;
}

void ForEachProgram(const Space& space, int share, int shares,
                    const std::function<void(const Program&)>& visit) {
  for (const Kinds& kinds : space.kinds) Enumeration(space, kinds, share, shares, visit);
}

}  // namespace locking::oracle

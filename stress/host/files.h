// Files a command reads and writes, with errors that fit one line.
#ifndef STRESS_HOST_FILES_H_
#define STRESS_HOST_FILES_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace stress {

inline constexpr std::size_t kTextBytesMax = 1u << 20;     // what a person wrote
inline constexpr std::size_t kRecordBytesMax = 16u << 20;  // a recorded failure, a result

// The text of a file. Throws CommandError (2) when it is missing, unreadable, a folder, larger than
// `bytes_max`, or not text.
std::string ReadInputFile(const std::string& path, std::size_t bytes_max);

// Where a text goes: to `temporary` first, which then takes the name `path`, so that a reader never
// sees half of it; straight to the descriptor `in_place` if that is one, of a device or a pipe.
struct OutputPlace {
  std::string path;
  std::string temporary;
  int in_place = -1;
};
// Writes the pieces one after the other. Returns 0, or errno; nothing is left behind then. Async-
// signal-safe.
int WriteTo(const OutputPlace& place, std::span<const std::string_view> pieces);

// A file that a command will write at its end.
//
// The constructor proves that it can be written, and leaves nothing behind when the run does not
// come to its end: throws CommandError, naming `flag`: 3 where the host is at fault (a full disk),
// else 2. A device or a pipe is written in place; one that nobody reads cannot be written.
class OutputFile {
 public:
  OutputFile(std::string flag, std::string path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  // Throws CommandError (3).
  void Write(std::string_view content) const;
  // Good as long as this object is.
  OutputPlace Place() const {
    return {path_, path_ + ".tmp" + std::to_string(process_), in_place_};
  }

 private:
  const std::string path_;
  const std::string where_;  // the flag and the path, for messages
  const int process_;
  int in_place_ = -1;  // the descriptor of a device or a pipe
};

// A folder for several files: must exist or be creatable. One that was made for nothing, because no
// file came into it, goes with this object.
class OutputFolder {
 public:
  // Throws CommandError, naming `flag`: 3 where the host is at fault (a full disk), else 2.
  OutputFolder(const std::string& flag, std::string path);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

 private:
  const std::string path_;
  bool made_ = false;
};

}  // namespace stress

#endif  // STRESS_HOST_FILES_H_

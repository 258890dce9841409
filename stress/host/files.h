// Files a command reads and writes, with errors that fit one line.
#ifndef STRESS_HOST_FILES_H_
#define STRESS_HOST_FILES_H_

#include <span>
#include <string>
#include <string_view>

namespace stress {

// The text of a file. Throws CommandError (2) when it is missing, unreadable, a folder, too large
// for a text that a person wrote, or not text.
std::string ReadInputFile(const std::string& path);

// Where a text goes: to `temporary` first, which then takes the name `path`, so that a reader never
// sees half of it; straight to `path` if that is a device or a pipe and `temporary` is empty.
struct OutputPlace {
  std::string path;
  std::string temporary;
};
// Writes the pieces one after the other. Returns 0, or errno; nothing is left behind then. Async-
// signal-safe.
int WriteTo(const OutputPlace& place, std::span<const std::string_view> pieces);

// A file that a command will write at its end.
//
// The constructor proves that it can be written, and leaves nothing behind when the run does not
// come to its end: throws CommandError (2), naming `flag`.
class OutputFile {
 public:
  OutputFile(std::string flag, std::string path);
  // Throws CommandError (3).
  void Write(std::string_view content) const;
  OutputPlace Place() const;
  const std::string& path() const { return path_; }

 private:
  std::string Temporary() const;
  std::string flag_;
  std::string path_;
};

// A folder for several files: must exist or be creatable. Throws CommandError (2).
void PrepareFolder(const std::string& flag, const std::string& path);

}  // namespace stress

#endif  // STRESS_HOST_FILES_H_

// Files a command reads and writes, with errors that fit one line.
#ifndef STRESS_HOST_FILES_H_
#define STRESS_HOST_FILES_H_

#include <string>
#include <string_view>

namespace stress {

// The text of a file. Throws CommandError (2) when it is missing, unreadable, a folder, too large
// for a text that a person wrote, or not text.
std::string ReadInputFile(const std::string& path);

// A file that a command will write at its end.
//
// The constructor proves that it can be written, and leaves nothing behind when the run does not
// come to its end: throws CommandError (2), naming `flag`.
class OutputFile {
 public:
  OutputFile(std::string flag, std::string path);
  // Writes to a file beside it and renames: a reader never sees half of it. Throws CommandError
  // (3).
  void Write(std::string_view content) const;
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

// Small text helpers of error messages: nearest names, lists, one line.
#ifndef STRESS_CONFIG_TEXT_H_
#define STRESS_CONFIG_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace stress {

// Insertions, deletions, substitutions and swaps of neighbours that turn one into the other.
int EditDistance(std::string_view a, std::string_view b);
// The candidate that `name` was most likely meant to be; empty when none is near.
std::string Nearest(std::string_view name, const std::vector<std::string>& candidates);
// "; did you mean X?", or "" when nothing is near.
std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates);
std::string Join(const std::vector<std::string>& parts, std::string_view separator);
// Without line breaks and control characters, in UTF-8: what a file holds must not break a message.
// A space stands for a control character, a question mark for a byte that is no text.
std::string OneLine(std::string_view text);
// As one word of a shell's command line.
std::string ShellWord(const std::string& text);

}  // namespace stress

#endif  // STRESS_CONFIG_TEXT_H_

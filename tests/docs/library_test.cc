// docs/library.md shows the example as it is, and the example ends as the page says.

#include "tests/docs/page.h"
#include "tests/stress/command.h"

namespace docs {
namespace {

constexpr char kExample[] = "docs/examples/bank";

std::string Joined(const std::vector<std::string>& lines) {
  std::string text = "\n";
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(LibraryPage, ItsCodeIsTheExamples) {
  std::string sources;
  for (const std::string& file : DataFiles(kExample, {".cc", ".h", "BUILD"}))
    sources += "\n" + ReadData(file);
  int blocks = 0;
  for (const Fence& fence : Page("docs/library.md").Fences()) {
    if (fence.language.empty()) continue;
    ++blocks;
    EXPECT_NE(sources.find(Joined(fence.lines)), std::string::npos)
        << "docs/library.md:" << fence.first_line << " is in no file of " << kExample;
  }
  EXPECT_GE(blocks, 7);
}

class BankExample : public stress::CommandTest {};

TEST_F(BankExample, ReportsItsReversalNatively) {
  const stress::Outcome outcome = Run({});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("LK02 (provable): lock order reversal: "), std::string::npos)
      << outcome.err;
  for (const char* part :
       {"spender: took savings (exclusive) at docs/examples/bank/bank.cc:",
        "spender: then took checking (exclusive) at", "saver: took checking (exclusive) at",
        "saver: then took savings (exclusive) at"})
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part;
}

TEST_F(BankExample, IsForcedIntoItsDeadlockExplored) {
  const stress::Outcome outcome = Run({"--explore"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("LK02 (confirmed): lock order reversal: "), std::string::npos)
      << outcome.err;
}

TEST_F(BankExample, IsSilentMended) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--mended"}, {"--mended", "--explore"}}) {
    const stress::Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_EQ(outcome.err, "");
  }
}

TEST_F(BankExample, RefusesUnknownFlags) { ExpectRefused({"--mend"}, {"--mend", "--mended"}); }

}  // namespace
}  // namespace docs

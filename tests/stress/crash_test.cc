// What a process leaves behind that dies of a signal or of a sanitizer's report.
#include <nlohmann/json.hpp>

#include "tests/stress/command.h"

#if defined(__has_feature)
#define TEST_HAS_FEATURE(x) __has_feature(x)
#else
#define TEST_HAS_FEATURE(x) 0
#endif

namespace stress {
namespace {

using nlohmann::json;

class Crash : public CommandTest {
 protected:
  // The failure in the document that is there after a death in this way.
  json DieOf(const std::string& how) {
    outcome_ = Run({how, "r.json"});
    EXPECT_EQ(outcome_.exit_code, 1) << outcome_.err;
    EXPECT_EQ(Files(), std::vector<std::string>{"r.json"});
    const json failure = json::parse(Read("r.json"))["failures"][0];
    EXPECT_EQ(outcome_.out, "failure " + failure["id"].get<std::string>() + "\n");
    EXPECT_EQ(failure["threads"][0]["thread"], "dying");
    EXPECT_EQ(failure["replay"], "the command \"again\"");
    return failure;
  }
  static bool Names(const json& failure, const std::string& function) {
    return failure["threads"][0]["stack"].dump().find(function) != std::string::npos;
  }
  bool Printed(const std::string& text) const {
    return outcome_.err.find(text) != std::string::npos;
  }

  Outcome outcome_;
};

TEST_F(Crash, EachSignalIsNamed) {
  for (const std::string name : {"SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE"}) {
    const json failure = DieOf(name);
    EXPECT_EQ(failure["id"], "CRASH");
    EXPECT_EQ(failure["title"], name);
    EXPECT_TRUE(failure["signature"].get<std::string>().starts_with("CRASH: " + name));
  }
}

TEST_F(Crash, ABadAccessHasItsAddressAndStack) {
  const json failure = DieOf("poke");
  EXPECT_EQ(failure["id"], "CRASH");
  EXPECT_EQ(failure["title"], "SIGSEGV at address 0x1000");
  EXPECT_EQ(failure["signature"], "CRASH: SIGSEGV in crash_program::Poke()");
  EXPECT_TRUE(Names(failure, "crash_program::Die")) << failure.dump(1);
  EXPECT_TRUE(Printed("SEGV")) << outcome_.err;
}

TEST_F(Crash, AReportOfAddressSanitizerIsAFailure) {
  if (!TEST_HAS_FEATURE(address_sanitizer)) GTEST_SKIP() << "not built with it";
  const json failure = DieOf("free");
  EXPECT_EQ(failure["id"], "ASAN");
  EXPECT_EQ(failure["title"], "heap-use-after-free");
  EXPECT_TRUE(Names(failure, "crash_program::UseAfterFree")) << failure.dump(1);
  EXPECT_TRUE(Printed("ERROR: AddressSanitizer: heap-use-after-free")) << outcome_.err;
}

TEST_F(Crash, AReportOfUndefinedBehaviorSanitizerIsAFailure) {
  if (!TEST_HAS_FEATURE(undefined_behavior_sanitizer)) GTEST_SKIP() << "not built with it";
  const json failure = DieOf("overflow");
  EXPECT_EQ(failure["id"], "UBSAN");
  EXPECT_NE(failure["title"].get<std::string>().find("signed-integer-overflow"), std::string::npos);
  EXPECT_NE(failure["title"].get<std::string>().find("crash_program.cc:"), std::string::npos);
  EXPECT_TRUE(Printed("runtime error: signed integer overflow")) << outcome_.err;
}

TEST_F(Crash, WhoEndsInTimeLeavesNothing) {
  const Outcome outcome = Run({"nothing", "r.json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(Files().empty());
}

}  // namespace
}  // namespace stress

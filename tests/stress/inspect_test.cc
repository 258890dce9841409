// `inspect`: what it shows of a fresh machine, of a run that failed, and of a recorded failure.
#include <functional>
#include <nlohmann/json.hpp>

#include "tests/stress/command.h"

namespace stress {
namespace {

using nlohmann::json;

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class Inspect : public CommandTest {
 protected:
  // What it prints; its exit code must be `exit_code`.
  std::string Shown(std::vector<std::string> arguments, int exit_code = 0) {
    arguments.insert(arguments.begin(), "inspect");
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.out << outcome.err;
    return outcome.out;
  }
  // The machine of a scenario whose forks share memory, as JSON.
  json Saved(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--scenario=fork-storm", "--json=m.json"});
    Shown(flags);
    return json::parse(Read("m.json"), nullptr, false);
  }
  // The same, changed, in the file of this name.
  std::string Changed(const std::string& name, const std::function<void(json&)>& change) {
    json document = Saved();
    change(document);
    return Write(name, document.dump());
  }
};

TEST_F(Inspect, AFreshMachineIsTheSameEachTime) {
  const std::string first = Shown({"--scenario=mixed", "--seed=3"});
  EXPECT_TRUE(Contains(first,
                       "origin      vmstress inspect --scenario=mixed --threads=2 --seed=3 "
                       "--operations=64\npages       64 of 512 bytes: "))
      << first;
  EXPECT_TRUE(Contains(first, "\nthresholds  free_reserved ")) << first;
  EXPECT_TRUE(Contains(first, "\nobject #")) << first;
  EXPECT_TRUE(first.ends_with("\ncheck       clean\n")) << first;
  EXPECT_EQ(Shown({"--scenario=mixed", "--seed=3"}), first);
  EXPECT_NE(Shown({"--scenario=mixed", "--seed=4"}), first);
}

TEST_F(Inspect, TheFlagsOfTheMachineMakeIt) {
  const std::string text = Shown({"--pages=96", "--page-size=1KiB", "--locks=giant",
                                  "--index=splay", "--operations=8", "--show=queues"});
  EXPECT_TRUE(Contains(text, "\npages       96 of 1024 bytes: ")) << text;
  EXPECT_FALSE(Contains(text, "\nobject #")) << text;
  EXPECT_FALSE(Contains(text, "\ncheck ")) << text;
}

TEST_F(Inspect, TheJsonIsInspectedLikeTheMachine) {
  const std::string all = "--show=queues,objects,spaces,pages,check";
  const std::string text = Shown({"--scenario=fork-storm", "--json=m.json", all});
  EXPECT_EQ(Files(), std::vector<std::string>{"m.json"});
  const std::string saved = Read("m.json");
  EXPECT_EQ(saved.find("\"schema\""), saved.find('"')) << "schema comes first";
  EXPECT_EQ(Shown({"m.json", all}), text);
  const json document = json::parse(saved);
  EXPECT_EQ(document["schema"], "vmstress.inspect/1");
  EXPECT_EQ(document["verdict"], "clean");
  EXPECT_EQ(document["machine"]["pages_in_all"], 64);
  for (const json& object : document["machine"]["objects"])
    EXPECT_TRUE(Contains(text, "\nobject #" + object["id"].dump() + ": " +
                                   object["type"].get<std::string>() + ", " +
                                   object["size"].dump() + " pages, "))
        << object;
  for (const json& page : document["machine"]["pages"])
    EXPECT_TRUE(Contains(text, "\nframe " + page["frame"].dump() + ": ")) << page;
}

TEST_F(Inspect, ReservationsAreShownWithTheirObjectsAndInTheirQueue) {
  const std::string text =
      Shown({"--scenario=reservations", "--seed=2", "--json=m.json", "--show=queues,objects"});
  const json machine = json::parse(Read("m.json"))["machine"];
  ASSERT_FALSE(machine["partial"].empty());
  EXPECT_TRUE(Contains(text, "\nreserved    " + machine["queues"]["kept"].dump() +
                                 " of the free ones are kept; the next to go first: object #" +
                                 machine["partial"][0]["object"].dump() + " "))
      << text;
  std::size_t reservations = 0;
  for (const json& object : machine["objects"]) {
    if (object["reservations"].empty()) continue;
    const json& first = object["reservations"][0];
    reservations += object["reservations"].size();
    EXPECT_EQ(first["object"], object["id"]);
    EXPECT_TRUE(Contains(text, "; reserved " + first["first"].dump() + "-")) << text;
    EXPECT_TRUE(Contains(text, " in frames " + first["place"].dump() + "-")) << text;
  }
  EXPECT_GE(reservations, machine["partial"].size());
  EXPECT_EQ(Shown({"m.json", "--show=queues,objects"}), text);
  EXPECT_FALSE(Contains(Shown({"--scenario=mixed"}), "\nreserved"));
}

TEST_F(Inspect, AnObjectIsShownWithWhatIsBehindIt) {
  // Some seed leaves a fork that has not collapsed.
  for (int seed = 1; seed <= 20; ++seed) {
    const json document = Saved({"--seed=" + std::to_string(seed)});
    for (const json& object : document["machine"]["objects"]) {
      if (object["backing"] == 0) continue;
      const std::string text = Shown({"m.json", "--object=" + object["id"].dump()});
      EXPECT_TRUE(Contains(text, "\nobject #" + object["id"].dump() + ": ")) << text;
      EXPECT_TRUE(Contains(text, "\nobject #" + object["backing"].dump() + ": ")) << text;
      return;
    }
  }
  FAIL() << "no object has a backer";
}

TEST_F(Inspect, APageIsShownByItsFrame) {
  const json document = Saved();
  const json& page = document["machine"]["pages"].back();
  const std::string text = Shown({"m.json", "--page=" + page["frame"].dump()});
  EXPECT_TRUE(Contains(
      text, "\nframe " + page["frame"].dump() + ": " + page["identity"].get<std::string>() + ", "))
      << text;
  Changed("free.json", [](json& free) { free["machine"]["pages"].clear(); });
  EXPECT_TRUE(Contains(Shown({"free.json", "--page=5"}), "\nframe 5: not in use\n"));
}

TEST_F(Inspect, ARunThatFailedKeepsItsMachine) {
  // Every hold is too long.
  ASSERT_EQ(Run({"run", "--operations=100", "--pages=64", "--hold-limit=1ns", "--threads=2",
                 "--seed=1", "--json=r.json"})
                .exit_code,
            1);
  const json result = json::parse(Read("r.json"));
  ASSERT_TRUE(result["machine"].is_object());
  const std::string text = Shown({"r.json"});
  EXPECT_TRUE(Contains(text, "origin      r.json: vmstress run --scenario=mixed")) << text;
  EXPECT_TRUE(Contains(text, "\npages       64 of 4096 bytes: ")) << text;
  EXPECT_TRUE(Contains(text, "\nobject #")) << "before the spaces had exited: " << text;
}

TEST_F(Inspect, ARunThatWasCleanKeepsNone) {
  ASSERT_EQ(Run({"run", "--operations=10", "--json=r.json"}).exit_code, 0);
  EXPECT_TRUE(json::parse(Read("r.json"))["machine"].is_null());
  const Outcome outcome = Run({"inspect", "r.json"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err, "vmstress: r.json: holds no machine: only a run that failed keeps one\n");
}

TEST_F(Inspect, TheCheckFindsWhatNoMapLeadsTo) {
  Changed("lost.json", [](json& lost) { lost["machine"]["spaces"].clear(); });
  EXPECT_TRUE(Contains(Shown({"lost.json"}, 1), "\ncheck       object #"));
  Changed("none.json", [](json& none) {
    for (json& object : none["machine"]["objects"]) object["references"] = 0;
  });
  const std::string text = Shown({"none.json", "--json=again.json"}, 1);
  EXPECT_TRUE(Contains(text, " has no reference\n")) << text;
  const json again = json::parse(Read("again.json"));
  EXPECT_EQ(again["verdict"], "failed");
  EXPECT_FALSE(again["check"].empty());
}

TEST_F(Inspect, AFileThatIsNoMachineIsRefused) {
  const auto refused = [&](const std::string& file, const std::string& why) {
    const Outcome outcome = Run({"inspect", file});
    EXPECT_EQ(outcome.exit_code, 2) << file << outcome.out;
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("vmstress: " + file + ": ")) << outcome.err;
    EXPECT_TRUE(Contains(outcome.err, why)) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  };
  refused("missing.json", "");
  refused(Write("text.json", "hello\n"), "is neither JSON nor a recorded failure");
  refused(Write("number.json", "17"), "is no result that holds a machine");
  refused(Write("other.json", "{\"schema\": \"vmstress.scale/1\"}"), "vmstress.scale/1");
  refused(Write("null.json", "{\"schema\": \"vmstress.inspect/1\"}"), "holds no machine");
  const std::string whole = Saved().dump();
  refused(Write("cut.json", whole.substr(0, whole.size() / 2)), "was cut off");
  refused(Changed("list.json", [](json& each) { each["machine"] = json::array(); }),
          "machine is no object");
  refused(Changed("less.json", [](json& each) { each["machine"]["objects"][0].erase("size"); }),
          "machine.objects[0].size is missing");
  refused(Changed("minus.json", [](json& each) { each["machine"]["frames"] = -1; }),
          "machine.frames is no number from 0 to 4294967295");
  refused(Changed("big.json", [](json& each) { each["machine"]["frames"] = 1ull << 32; }),
          "machine.frames is no number");
  refused(Changed("type.json", [](json& each) { each["machine"]["objects"][0]["type"] = 1; }),
          "machine.objects[0].type is no text");
  refused(Changed("runs.json", [](json& each) { each["machine"]["objects"][0]["pages"] = 1; }),
          "machine.objects[0].pages is no list");
}

TEST_F(Inspect, ARecordOfATestHasNoMachine) {
  ASSERT_EQ(Run({"explore", "--test=abba", "--executions=1", "--save=f"}).exit_code, 1);
  const Outcome outcome = Run({"inspect", "f/abba-2.replay"});
  EXPECT_EQ(outcome.exit_code, 2) << outcome.out;
  EXPECT_TRUE(Contains(outcome.err, "f/abba-2.replay: is of the test abba, which has no machine"))
      << outcome.err;
}

TEST_F(Inspect, BadFlagsAreRefused) {
  ExpectRefused({"inspect", "--show=pagse"}, {"--show", "pages"});
  ExpectRefused({"inspect", "--object=0"}, {"--object", "1"});
  ExpectRefused({"inspect", "--object=4000000"}, {"--object: there is no object 4000000"});
  ExpectRefused({"inspect", "--page=64"}, {"--page: there is no frame 64; accepted: 0 to 63"});
  ExpectRefused({"inspect", "--scenario=mixde"}, {"mixde", "mixed"});
  ExpectRefused({"inspect", "a.json", "b.json"}, {"takes one file"});
  ExpectRefused({"inspect", "a.json", "--pages=64"},
                {"--pages: is for a fresh machine; it does not go with a file"});
}

}  // namespace
}  // namespace stress

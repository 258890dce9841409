#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "vm/inspect.h"

namespace vm {
namespace {

constexpr std::size_t kMostRuns = 8;

std::string Hex(std::uint64_t number) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%" PRIx64, number);
  return text;
}

std::string Number(std::uint64_t number) { return std::to_string(number); }

// "5" or "5-7"
std::string RangeText(std::uint64_t first, std::uint64_t count) {
  return Number(first) + (count == 1 ? "" : "-" + Number(first + count - 1));
}

// "; resident 0-2 in frames 17-19, 7 in frame 5"
std::string RunsText(const char* label, const std::string& place, const std::vector<RunState>& runs,
                     Pindex left_out) {
  std::string text;
  for (std::size_t i = 0; i < runs.size() && i < kMostRuns; ++i)
    text += (i == 0 ? label : std::string(", ")) + RangeText(runs[i].first, runs[i].count) +
            (runs[i].count == 1 ? " in " + place + " " : " in " + place + "s ") +
            RangeText(runs[i].place, runs[i].count);
  if (runs.size() > kMostRuns) text += ", " + Number(runs.size() - kMostRuns) + " more runs";
  if (left_out != 0) text += " and " + Number(left_out) + " more pages";
  return text;
}

// "; reserved 0-7 in frames 16-23 (4 used)"
std::string ReservationsText(const char* label, const std::vector<ReservationState>& reservations,
                             std::uint32_t left_out, bool with_object) {
  std::string text;
  const std::size_t shown = std::min(reservations.size(), kMostRuns);
  for (std::size_t i = 0; i < shown; ++i) {
    const ReservationState& each = reservations[i];
    text += i == 0 ? label : ", ";
    if (with_object) text += "object #" + Number(each.object) + " ";
    text += RangeText(each.first, each.count) + " in frames " + RangeText(each.place, each.count) +
            " (" + Number(each.used) + " used)";
  }
  const std::size_t more = reservations.size() - shown + left_out;
  return more == 0 ? text : text + ", " + Number(more) + " more";
}

std::string FlagsText(const std::vector<std::string>& flags) {
  std::string text;
  for (const std::string& flag : flags) text += ", " + flag;
  return text;
}

std::string ColorsText(const char* label, const std::vector<std::uint32_t>& colors) {
  std::string text = label;
  for (const std::uint32_t pages : colors) text += " " + Number(pages);
  return text + "\n";
}

std::string PartialText(const MachineState& machine) {
  if (machine.partial.empty()) return "";
  return "reserved    " + Number(machine.queues.kept) +
         " of the free ones are kept; the next to go first" +
         ReservationsText(": ", machine.partial, machine.partial_left_out, true) + "\n";
}

// ", wirings 2"; nothing for none
std::string CountText(const char* what, std::uint64_t count) {
  return count == 0 ? "" : ", " + std::string(what) + " " + Number(count);
}

}  // namespace

std::string Text(const ObjectState& object) {
  std::string text = "object #" + Number(object.id) + ": " + object.type + ", " +
                     Number(object.size) + " pages, " + Number(object.resident) +
                     " resident, references " + Number(object.references) + ", shadows " +
                     Number(object.shadows);
  if (object.charged) text += ", charge " + Number(object.charge);
  text += CountText("paging in progress", object.paging_in_progress) + FlagsText(object.flags);
  if (object.backing != 0)
    text += ", behind it #" + Number(object.backing) + " + " + Number(object.backing_offset);
  return text + RunsText("; resident ", "frame", object.pages, object.pages_left_out) +
         RunsText("; in swap ", "slot", object.slots, object.slots_left_out) +
         ReservationsText("; reserved ", object.reservations, object.reservations_left_out, false);
}

std::string Text(const PageState& page) {
  std::string text = "frame " + Number(page.frame) + ": " + page.identity + ", ";
  text += page.queue == "none" ? "on no queue" : "on the queue " + page.queue;
  if (page.object != 0) text += ", object #" + Number(page.object) + " at " + Number(page.pindex);
  text += ", valid " + Hex(page.valid) + ", dirty " + Hex(page.dirty);
  if (page.busy != "no") text += ", " + page.busy + " busy";
  text += CountText("wirings", page.wirings) + CountText("holds", page.holds) +
          CountText("loans", page.loans) + CountText("act count", page.act_count) +
          FlagsText(page.flags);
  const char* separator = "; mapped by ";
  for (const MappingState& mapping : page.mappings) {
    text += separator + std::string("space #") + Number(mapping.space) + " at " +
            Hex(mapping.address) + (mapping.writable ? " writable" : "") +
            (mapping.modified ? " modified" : "") + (mapping.wired ? " wired" : "");
    separator = ", ";
  }
  return text;
}

std::string QueuesText(const MachineState& machine) {
  const QueuesState& queues = machine.queues;
  const Thresholds& thresholds = queues.thresholds;
  return "pages       " + Number(machine.pages_in_all) + " of " + Number(machine.page_size) +
         " bytes: " + Number(queues.free()) + " free, " + Number(queues.zeroed) +
         " of them zeroed, " + Number(queues.cache()) + " cached, " + Number(queues.inactive) +
         " inactive, " + Number(queues.active) + " active, " + Number(queues.wired) + " wired, " +
         Number(queues.held) + " held\n" + "thresholds  free_reserved " +
         Number(thresholds.free_reserved) + ", free_min " + Number(thresholds.free_min) +
         ", free_target " + Number(thresholds.free_target) + ", cache_min " +
         Number(thresholds.cache_min) + ", inactive_target " + Number(thresholds.inactive_target) +
         ", pageout_free_min " + Number(thresholds.pageout_free_min) + ", interrupt_free_min " +
         Number(thresholds.interrupt_free_min) + "\n" +
         ColorsText("free       ", queues.free_by_color) +
         ColorsText("cache      ", queues.cache_by_color) + PartialText(machine);
}

std::string Text(const SpaceState& space) {
  std::string text = "space #" + Number(space.id) + ": " + Number(space.resident) +
                     " pages mapped, " + Number(space.wired) + " wired\n";
  for (const EntryState& entry : space.entries) {
    text += "  " + Hex(entry.start) + "-" + Hex(entry.end) + " " + entry.protection;
    if (entry.object != 0)
      text += ", object #" + Number(entry.object) + " + " + Number(entry.offset);
    text += CountText("wirings", entry.wirings) + (entry.needs_copy ? ", needs copy" : "") + "\n";
  }
  return text;
}

}  // namespace vm

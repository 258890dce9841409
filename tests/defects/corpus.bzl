"""The corpus as a table."""

# The patch file, whose head says what it plants; the file of vm/ that it changes; the load that meets
# it, of tests/vm/workload.h; the ids of which the first failing execution must report one (RACE only under
# ThreadSanitizer); and, where the command itself is shown to find it too, the flags of its `explore`.
DEFECTS = [
    ("backer_before_shadow", "shadow.cc", "fork", ["LK04"], "--scenario=fork-storm"),
    ("busy_sleep_under_map", "fault.cc", "pageout", ["LK08"], "--threads=3 --pages=40 --operations=48"),
    ("d02_lent_page_not_looked_up_again", "page_cow.cc", "send", ["INV-07"], None),
    ("d03_new_page_busied_twice", "pager/pager.cc", "pageout", ["INV-11"], None),
    ("d04_picker_meets_a_page_again", "page_alloc.cc", "frames", ["LIVELOCK"], None),
    ("d05_free_before_unmap", "reclaim.cc", "pageout", ["INV-49"], None),
    ("d06_run_taken_piecemeal", "free_queue.cc", "frames", ["INV-20"], "--scenario=contiguous"),
    ("d12_busy_on_cache_queue", "page_grab.cc", "frames", ["INV-23"], None),
    ("d13_zeroed_frame_trusted", "page_alloc.cc", "frames", ["INV-08", "INV-50"], "--scenario=zeroing"),
    ("d15_queues_before_owner", "contiguous.cc", "frames", ["LK02"], "--scenario=contiguous"),
    ("d16_collapse_drops_lock", "collapse.cc", "fork", ["INV-35"], "--scenario=fork-storm --operations=24"),
    ("d17_scan_drops_locks", "collapse.cc", "fork_pageout", ["INV-32", "INV-35", "INV-36", "INV-49", "INV-51"], None),
    ("d20_split_of_busy_pages", "split.cc", "split", ["INV-18"], None),
    ("d30_wake_one_waiter", "page_busy.cc", "wire", ["LK10"], None),
    ("d33_wire_after_fault", "map_wire.cc", "wire", ["INV-30", "INV-31"], None),
    ("d37_paging_end_without_wakeup", "object.cc", "fork_pageout", ["LK10"], "--threads=3 --pages=40 --operations=48"),
    ("d41_busy_before_vnode", "laundry.cc", "file", ["LK08", "LK09"], None),
    ("d47_modified_bit_lost", "pmap.cc", "fork_pageout", ["INV-49"], None),
    ("d48_no_shootdown", "pmap.cc", "pageout", ["INV-42"], "--scenario=mixed"),
    ("d51_free_in_a_shadow", "object_advise.cc", "forget", ["INV-49"], "--scenario=advice"),
    ("d52_slot_freed_while_read", "pager/swap.cc", "pageout", ["INV-49", "INV-50", "RACE"], None),
    ("d60_dirtied_during_write", "pager/pager.cc", "pageout", ["INV-49", "RACE"], "--scenario=low-memory"),
    ("queues_before_object", "pageout.cc", "pageout", ["LK02"], "--scenario=low-memory"),
    ("unshare_without_wakeup", "page_busy.cc", "pageout", ["LK10"], None),
    ("wired_neighbour_freed", "reclaim.cc", "wire", ["INV-30"], "--scenario=low-memory --pages=40 --operations=24"),
]

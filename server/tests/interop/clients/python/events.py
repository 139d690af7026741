"""What happens to a member of a group, a line each."""

import time


class Events:
    def __init__(self, out):
        self._out = out
        self._assigned = set()

    def assigned(self, partitions):
        """These came, whether beside those before or, after all were revoked, in their place."""
        self._assigned.update(partitions)
        self._note("assigned", self._all())

    def revoked(self, partitions):
        self._assigned.difference_update(partitions)
        self._note("revoked", self._all())

    def record(self, partition, offset, value):
        self._note("record", partition, offset, value.decode())

    def committed(self, partition, next_offset):
        self._note("committed", partition, next_offset)

    def _all(self):
        return ",".join(map(str, sorted(self._assigned)))

    def _note(self, *fields):
        line = [str(int(time.time() * 1000)), *map(str, fields)]
        self._out.write("\t".join(line) + "\n")
        self._out.flush()

"""What workers leave of their progress: one small file a shard, read by the main process."""

from __future__ import annotations

from flows.warehouse.runs import PlannedShard
from flows.work import WorkFolder, remove_tree


class ShardProgress:
    """The counters of a run's shards."""

    def __init__(self, work: WorkFolder, run_id: str) -> None:
        """Begin without any: those of a killed run say nothing."""
        self._work, self._run_id = work, run_id
        self._folder = work.progress(run_id)
        remove_tree(self._folder)

    def total(self) -> int:
        """Documents done of shards that are not loaded yet."""
        done = 0
        for counter in self._folder.glob("*"):
            if counter.name.isdigit():
                try:
                    done += int(counter.read_text("ascii") or 0)
                except (OSError, ValueError):
                    continue  # being written or removed just now
        return done

    def sign(self, shard: PlannedShard) -> object:
        """What changes with every batch of a shard; None before its worker has begun."""
        try:
            stat = self._work.counter(self._run_id, shard.number).stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size

    def done(self, shard: PlannedShard) -> int | None:
        """Documents that a dead worker had finished of a shard.

        None where it had not begun, -1 where it died while it wrote the number.
        """
        try:
            return int(self._work.counter(self._run_id, shard.number).read_text("ascii"))
        except OSError:
            return None
        except ValueError:
            return -1

    def mark_stalled(self, shard: PlannedShard) -> None:
        """Note that the worker of a shard is killed because nothing was heard of it."""
        self._work.stalled(self._run_id, shard.number).write_text("killed", encoding="ascii")

    def has_stalled(self, shard: PlannedShard) -> bool:
        """Whether the last worker of a shard ended because it hung."""
        report = self._work.stalled(self._run_id, shard.number)
        return report.is_file() and report.stat().st_size > 0

    def forget(self, shard: PlannedShard) -> None:
        """Remove what was left of a shard."""
        self._work.counter(self._run_id, shard.number).unlink(missing_ok=True)
        self._work.stalled(self._run_id, shard.number).unlink(missing_ok=True)

"""Tracking in event files of TensorBoard: a folder for each run, `<recipe>-<run>-<the log's first characters>`.

Each event becomes one record, with the log's id and the `seq` in its `source_metadata`, so that the files alone tell
what was written.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from app.runs.log.state import ENDED
from app.runs.tracking.base import Event, Run, numbers_of, step_of
from app.storage.lock import FolderLock

LOG_CHARACTERS = 8
PATTERN = "events.out.tfevents.*"


class TensorBoardSink:
    """Writes below `folder`, for the log with the id `log`. Several processes may share a folder."""

    name = "TensorBoard"

    def __init__(self, folder: Path, log: str) -> None:
        self._folder, self._log = folder, log
        self._writers: dict[int, Any] = {}
        self._stamps: dict[int, dict[str, int]] = {}

    def last_seq(self, run: Run) -> int:
        return max(self._written(self._place(run)), default=0)

    def write(self, run: Run, events: Sequence[Event]) -> None:
        place = self._place(run)
        with FolderLock(place).hold():
            # read the files again only if another process has written
            done = 0 if self._stamps.get(run["id"]) == _stamp(place) else max(self._written(place), default=0)
            writer = self._writer(run["id"], place)
            for event in events:
                if event["seq"] > done:
                    writer.add_event(self._record(run, event))
            writer.flush()
            self._stamps[run["id"]] = _stamp(place)
        if events[-1]["type"] in ENDED:
            self._writers.pop(run["id"]).close()

    def forget(self) -> None:
        writers, self._writers, self._stamps = self._writers, {}, {}
        for writer in writers.values():
            writer.close()

    def _place(self, run: Run) -> Path:
        return self._folder / f"{run['config']['recipe']}-{run['id']}-{self._log[:LOG_CHARACTERS]}"

    def _writer(self, run: int, place: Path) -> Any:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if run not in self._writers:
            self._writers[run] = EventFileWriter(str(place))
        return self._writers[run]

    def _written(self, place: Path) -> Iterator[int]:
        """The `seq` of each record of this log in a run's folder; incomplete last records are ignored."""
        from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
        from tensorboard.compat.proto.event_pb2 import Event as Record

        for path in sorted(place.glob(PATTERN)):
            for data in RawEventFileLoader(str(path)).Load():
                log, _, seq = Record.FromString(data).source_metadata.writer.rpartition(" ")
                if log == self._log and seq.isdecimal():
                    yield int(seq)

    def _record(self, run: Run, event: Event) -> Any:
        from tensorboard.compat.proto.event_pb2 import Event as Record
        from tensorboard.compat.proto.event_pb2 import SourceMetadata
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.plugins.text.metadata import create_summary_metadata

        numbers = numbers_of(event)
        values = [Summary.Value(tag=name, simple_value=number) for name, number in numbers.items()]
        if event["type"] == "queued":
            from tensorboard.compat.proto.tensor_pb2 import TensorProto
            from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
            from tensorboard.compat.proto.types_pb2 import DT_STRING

            text = "```json\n" + json.dumps(run["config"], indent=2) + "\n```"
            shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
            tensor = TensorProto(dtype=DT_STRING, string_val=[text.encode()], tensor_shape=shape)
            about = create_summary_metadata(display_name="config", description="")
            values.append(Summary.Value(tag="config", metadata=about, tensor=tensor))
        return Record(
            wall_time=datetime.fromisoformat(event["time"]).timestamp(),
            step=step_of(run, event),
            summary=Summary(value=values) if values else None,
            source_metadata=SourceMetadata(writer=f"{self._log} {event['seq']}"),
        )


def _stamp(place: Path) -> dict[str, int]:
    """The files of a run, and their sizes."""
    return {path.name: path.stat().st_size for path in place.glob(PATTERN)}

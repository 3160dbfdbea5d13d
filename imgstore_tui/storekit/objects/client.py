"""Sends requests to a bucket: several at a time, some of them again, each with a limit of time; counts them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from imgstore_tui.storekit.objects.driver import PAGE, Cause, Driver, ListedObject, RequestError, Version, failure_of

T = TypeVar("T")
R = TypeVar("R")

ANSWER_S = 10
"""A request of few bytes that has taken longer counts as not answered."""
SLOWEST = 2**21
"""Bytes a second below which a link counts as broken: what is under way may take that much longer."""
_AGAIN_S: dict[Cause, tuple[float, ...]] = {
    Cause.DOWN: (0.1, 0.3),
    Cause.CUT: (0.1, 0.3, 0.9),
    Cause.BUSY: (0.1, 0.3, 0.9, 2.7),
}
"""Seconds before each further try, for what may pass; what was not answered in time is not asked again."""


class Client:
    """Requests to one bucket. Its threads exist while it is open, and nothing is under way between calls."""

    def __init__(self, connect: Callable[[float], Driver], concurrency: int = 1) -> None:
        """Prepare to connect.

        Args:
            connect: Returns a driver for a limit of time, in seconds.
            concurrency: Requests at a time.
        """
        self.concurrency = concurrency
        self.requests = 0
        self.retries = 0
        self._connect = connect
        self._drivers: dict[int, Driver] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def put(
        self, key: str, data: bytes | bytearray | memoryview, expected: Version | None = None, *, new: bool = False,
        under_way: int = 0,
    ) -> Version:  # fmt: skip
        """Put an object; see ``Driver.put``.

        Args:
            key: Its key.
            data: Its bytes.
            expected: The version that is replaced; None for any.
            new: Whether there must be none yet.
            under_way: Bytes of all requests that are sent at the same time.

        Raises:
            RequestError: If it cannot be put.
        """
        size = max(len(data), under_way)
        return self._request(lambda driver: driver.put(key, data, expected, new=new), size)

    def get(self, key: str, most: int) -> tuple[memoryview, Version]:
        """Return an object of at most ``most`` bytes.

        Raises:
            RequestError: If it cannot be read.
        """
        return self._request(lambda driver: driver.get(key, most), 2**24)

    def get_range(self, key: str, start: int, end: int, under_way: int = 0) -> memoryview:
        """Return a part of an object.

        Raises:
            RequestError: If it cannot be read.
        """
        return self._request(lambda driver: driver.get_range(key, start, end), max(end - start, under_way))

    def head(self, key: str) -> ListedObject:
        """Return an object's size.

        Raises:
            RequestError: If there is none.
        """
        return self._request(lambda driver: driver.head(key))

    def objects(self, folder: str) -> list[ListedObject]:
        """Return all objects under ``folder/``.

        Raises:
            RequestError: If they cannot be listed.
        """

        def collect(driver: Driver) -> list[ListedObject]:
            listed = [entry for page in driver.objects(folder) for entry in page]
            self._count(len(listed) // PAGE)
            return listed

        return self._request(collect)

    def is_empty(self, folder: str) -> bool:
        """Whether there is no object under ``folder/``.

        Raises:
            RequestError: If they cannot be listed.
        """
        return self._request(lambda driver: not any(driver.objects(folder)))

    def folders(self, folder: str) -> list[str]:
        """Return the common prefixes right under ``folder``.

        Raises:
            RequestError: If they cannot be listed.
        """
        return self._request(lambda driver: driver.folders(folder))

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; one that is not there is none to remove.

        Raises:
            RequestError: If one cannot be removed.
        """

        def remove(some: Sequence[str]) -> None:
            try:
                self._request(lambda driver: driver.delete(some))
            except RequestError as error:
                if error.cause is not Cause.MISSING:
                    raise
                if len(some) > 1:
                    for key in some:
                        remove([key])

        for first in range(0, len(keys), PAGE):
            remove(keys[first : first + PAGE])

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the bucket.

        Raises:
            RequestError: If it cannot be copied.
        """
        self._request(lambda driver: driver.copy(source, target), 2**24)

    def each(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Call a function for each item, as many at a time as there may be requests; return the results in order.

        Raises:
            RequestError: The first that a call raised; by then no call is under way.
        """
        items = list(items)
        if self.concurrency == 1 or len(items) < 2:
            return [function(item) for item in items]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.concurrency, "requests")
        futures = [self._pool.submit(function, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            wait(futures)
            raise

    def close(self) -> None:
        """End the threads; safe to call twice."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _request(self, act: Callable[[Driver], R], size: int = 0) -> R:
        driver = self._driver(size)
        tried: dict[Cause, int] = {}
        while True:
            self._count(1)
            try:
                return act(driver)
            except Exception as error:
                failure = failure_of(error)
            pauses, times = _AGAIN_S.get(failure.cause, ()), tried.get(failure.cause, 0)
            if times >= len(pauses):
                raise failure from None
            tried[failure.cause] = times + 1
            with self._lock:
                self.retries += 1
            time.sleep(pauses[times] * random.uniform(0.8, 1.2))  # noqa: S311 - so that threads do not ask in step

    def _driver(self, size: int) -> Driver:
        """Return the driver whose limit of time suits so many bytes; the limits are powers of two of a MiB apart."""
        more = max(0, (size >> 20).bit_length())
        driver = self._drivers.get(more)
        if driver is None:
            driver = self._connect(ANSWER_S + ((1 << more) * 2**20 / SLOWEST if more else 0))
            with self._lock:
                driver = self._drivers.setdefault(more, driver)
        return driver

    def _count(self, requests: int) -> None:
        with self._lock:
            self.requests += requests

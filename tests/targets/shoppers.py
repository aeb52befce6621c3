#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Four clients of shop.py, for .github/CASE.md.

    shoppers.py SECONDS   requests carts for that long, then prints how long a page took"""

import http.client
import statistics
import sys
import threading
import time

PORT = 8811
CUSTOMERS = 4


def connect(end):
    """Connects, and retries until `end`: a shop that was just started may not listen yet."""
    while True:
        try:
            shop = http.client.HTTPConnection("127.0.0.1", PORT)
            shop.connect()
            return shop
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def look(customer, end, times):
    shop = connect(end)
    for cart in range(customer, sys.maxsize, CUSTOMERS):
        start = time.monotonic()
        if start > end:
            break
        try:
            shop.request("GET", f"/cart/{cart % 100}")
            page = shop.getresponse().read()
        except OSError:
            break  # the shop was stopped
        if b"</table>" not in page:
            raise RuntimeError(f"cart {cart} has no table")
        times.append(time.monotonic() - start)
    shop.close()


def main():
    end, times = time.monotonic() + float(sys.argv[1]), []
    customers = [threading.Thread(target=look, args=(n, end, times)) for n in range(CUSTOMERS)]
    for customer in customers:
        customer.start()
    for customer in customers:
        customer.join()
    if times:
        print(f"{len(times)} pages, {1000 * statistics.median(times):.1f} ms each (median)")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A web shop with a slow page, for .github/CASE.md: HTTP, a database, a template, a performance
bug.

    shop.py [--cached]   serves http://127.0.0.1:8811/cart/N; --cached: with the fix"""

import configparser
import functools
import http.server
import os
import sqlite3
import string
import sys
import tempfile

PORT = 8811
ITEMS = 24  # in each cart
ROW = string.Template("<tr><td>$name</td><td>$gross</td></tr>\n")
PAGE = string.Template("<!doctype html>\n<title>Cart $number</title>\n<table>\n$rows</table>\n<p>$total</p>\n")


def tax_rate(category):
    rates = configparser.ConfigParser()
    rates.read(RATES)
    return rates.getfloat(category, "rate")


class Cart:
    def __init__(self, database, number):
        self.number = number
        self.items = database.execute("SELECT name, category, net FROM item WHERE cart = ?", (number,)).fetchall()

    def gross(self, category, net):
        return round(net * (1 + tax_rate(category)), 2)

    def page(self):
        prices = [(name, self.gross(category, net)) for name, category, net in self.items]
        rows = "".join(ROW.substitute(name=name, gross=gross) for name, gross in prices)
        return PAGE.substitute(number=self.number, rows=rows, total=sum(gross for _, gross in prices))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # buffered: one packet per page

    def setup(self):
        super().setup()
        self.database = sqlite3.connect(DATABASE)

    def do_GET(self):
        body = Cart(self.database, int(self.path.rpartition("/")[2])).page().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def make_rates(path):
    with open(path, "w") as f:
        for category in range(100):
            f.write(f"[category {category}]\nrate = 0.{category:02}\nsince = 2026-01-01\n")


def make_database(path):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE item (cart INTEGER, name TEXT, category TEXT, net REAL)")
        database.executemany("INSERT INTO item VALUES (?, ?, ?, ?)",
                             ((cart, f"thing {n}", f"category {(cart + n) % 100}", n + 0.99)
                              for cart in range(100) for n in range(ITEMS)))


if __name__ == "__main__":
    if "--cached" in sys.argv:
        tax_rate = functools.cache(tax_rate)
    with tempfile.TemporaryDirectory() as where:
        RATES, DATABASE = os.path.join(where, "rates.ini"), os.path.join(where, "shop.db")
        make_rates(RATES)
        make_database(DATABASE)
        http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()

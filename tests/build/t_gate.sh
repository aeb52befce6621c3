#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What krait does and holds stays within the committed table: the part of the gate without a clock.
exec python3 -u -B "$(dirname "$0")/../../tools/gate/gate.py" --few --counted

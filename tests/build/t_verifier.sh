#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The verifier's cost of each program stays within 10 % of the committed table.
exec "$(dirname "$0")/../../tools/verifier.sh"

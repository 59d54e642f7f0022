#!/usr/bin/env bash
# Gradescope runs this once, when it builds the autograder's image. Install what the learners'
# programs need; netdemo uses ss from iproute2 to find ports and count sockets.
set -eu
apt-get update
apt-get install --yes --no-install-recommends python3 iproute2 procps
chmod +x /autograder/source/netdemo

#!/usr/bin/env bash
# Gradescope runs this once, when the autograder's image is made. Install what the learners'
# programs need; iproute2 has ss, with which netdemo finds ports and counts sockets.
set -eu
apt-get update
apt-get install --yes --no-install-recommends python3 iproute2 procps
chmod +x /autograder/source/netdemo

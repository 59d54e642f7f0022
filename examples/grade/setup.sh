#!/usr/bin/env bash
# Gradescope runs this once, when it builds the autograder's image. Install what the learners'
# programs need; netdemo uses ss from iproute2 to find ports and count sockets, and setpriv from
# util-linux to run a submission as another user.
set -eu
apt-get update
apt-get install --yes --no-install-recommends python3 iproute2 procps util-linux
useradd --system --no-create-home student
chmod +x /autograder/source/netdemo

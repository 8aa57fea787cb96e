#!/usr/bin/env bash
# The agent, its unit and its commented defaults. It is enabled, not started: this machine has no release.
set -euo pipefail

install -m 0755 /tmp/adf-agent /usr/local/bin/adf-agent
install -d -m 0755 /etc/adf
install -m 0644 /tmp/agent.toml /etc/adf/agent.toml
install -m 0644 /tmp/adf-agent.service /etc/systemd/system/adf-agent.service
rm -f /tmp/adf-agent /tmp/agent.toml /tmp/adf-agent.service
/usr/local/bin/adf-agent --version
systemd-analyze verify /etc/systemd/system/adf-agent.service
systemctl enable adf-agent.service

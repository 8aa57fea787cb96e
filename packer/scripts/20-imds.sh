#!/usr/bin/env bash
# Containers and build steps must not read the instance's credentials. The hop limit of 1 does that where it is
# set; these rules do it also where a launch template raises the limit, and for IPv6.
set -euo pipefail

apt-get install --yes --no-install-recommends nftables
install -d -m 0755 /etc/nftables.d
cat >/etc/nftables.d/adf-imds.nft <<'NFT'
table inet adf_imds {
  chain forward {
    type filter hook forward priority -10; policy accept;
    ip daddr 169.254.169.254 counter drop
    ip6 daddr fd00:ec2::254 counter drop
  }
}
NFT
cat >/etc/systemd/system/adf-imds.service <<'UNIT'
[Unit]
Description=Keep containers away from instance metadata
Before=docker.service
DefaultDependencies=no
After=local-fs.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/nftables.d/adf-imds.nft

[Install]
RequiredBy=docker.service
UNIT
nft --check --file /etc/nftables.d/adf-imds.nft
systemctl enable adf-imds.service

# The base AMI: Ubuntu 24.04 with Docker and adf-agent. See README.md for what is not there yet.

packer {
  required_version = ">= 1.9"
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.3.0"
    }
  }
}

variable "region" {
  type        = string
  description = "The region the AMI is made in."
}

variable "agent" {
  type        = string
  description = "Path of the adf-agent binary, built for the AMI's architecture."
}

variable "instance_type" {
  type        = string
  default     = "t3.small"
  description = "Where the AMI is made; its architecture must be x86_64."
}

locals {
  stamp = formatdate("YYYYMMDD-hhmmss", timestamp())
}

source "amazon-ebs" "ubuntu" {
  region        = var.region
  instance_type = var.instance_type
  ssh_username  = "ubuntu"
  ami_name      = "adf-ubuntu-24.04-${local.stamp}"

  source_ami_filter {
    owners      = ["099720109477"] # Canonical
    most_recent = true
    filters = {
      name                = "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
  }

  # The machine that makes the AMI, and the AMI's own default: IMDSv2 only. One hop keeps containers out.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  imds_support = "v2.0"

  tags = {
    Name       = "adf-ubuntu-24.04-${local.stamp}"
    "adf:base" = "ubuntu-24.04"
  }
}

build {
  sources = ["source.amazon-ebs.ubuntu"]

  provisioner "file" {
    source      = var.agent
    destination = "/tmp/adf-agent"
  }

  provisioner "file" {
    sources     = ["${path.root}/../systemd/adf-agent.service", "${path.root}/../systemd/agent.toml"]
    destination = "/tmp/"
  }

  provisioner "shell" {
    execute_command = "sudo env DEBIAN_FRONTEND=noninteractive {{ .Vars }} bash {{ .Path }}"
    scripts = [
      "${path.root}/scripts/10-docker.sh",
      "${path.root}/scripts/20-imds.sh",
      "${path.root}/scripts/30-agent.sh",
      "${path.root}/scripts/90-clean.sh",
    ]
  }
}

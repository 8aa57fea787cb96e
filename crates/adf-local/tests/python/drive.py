"""Drives adf-local with boto3 alone, the way an operator's own script would.

A template, a group behind a target group, scaled, read back, put into standby and back, hooks answered, terminated, deleted.
Every step asserts what AWS documents. Run by tests/foreign_clients.rs, which sets AWS_ENDPOINT_URL and the credentials.
"""

import base64
import sys
import time

import boto3
from botocore.exceptions import ClientError

DEADLINE = 60  # seconds for anything that adf-local does on its own
USER_DATA = "#!/bin/sh\nRELEASE_URL=\"https://example.org/ü.tgz\"\n"

ec2 = boto3.client("ec2")
autoscaling = boto3.client("autoscaling")
elb = boto3.client("elbv2")


def eventually(what, holds):
    """Polls until `holds` returns something true, and returns that."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {DEADLINE} s: {what}")


def refused(code, call, **parameters):
    """The message of the refusal with this code."""
    try:
        call(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{call} was not refused with {code}")


def group(name="web"):
    return autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]


def members(state):
    return [it["InstanceId"] for it in group()["Instances"] if it["LifecycleState"] == state]


def in_service(count):
    return eventually(f"{count} in service", lambda: len(found := members("InService")) == count and found)


def template():
    image = ec2.describe_images(Owners=["self"])["Images"][0]["ImageId"]
    made = ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={
            "ImageId": image,
            "InstanceType": "t3.micro",
            "UserData": base64.b64encode(USER_DATA.encode()).decode(),
            "MetadataOptions": {"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
            "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "adf:app", "Value": "web"}]}],
        },
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "owner", "Value": "ops"}]}],
    )["LaunchTemplate"]
    assert (made["DefaultVersionNumber"], made["LatestVersionNumber"]) == (1, 1), made
    assert made["Tags"] == [{"Key": "owner", "Value": "ops"}], made
    second = ec2.create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}
    )["LaunchTemplateVersion"]
    assert second["VersionNumber"] == 2 and not second["DefaultVersion"], second
    data = second["LaunchTemplateData"]
    assert (data["ImageId"], data["InstanceType"]) == (image, "t3.small"), data
    assert base64.b64decode(data["UserData"]).decode() == USER_DATA, data
    assert data["TagSpecifications"][0]["Tags"] == [{"Key": "adf:app", "Value": "web"}], data
    refused("InvalidLaunchTemplateName.AlreadyExistsException", ec2.create_launch_template,
            LaunchTemplateName="web", LaunchTemplateData={})
    return made["LaunchTemplateId"]


def single_instance(template_id):
    """What a canary is: one instance from a numbered version, once per token."""
    request = {
        "LaunchTemplate": {"LaunchTemplateId": template_id, "Version": "2"},
        "MinCount": 1, "MaxCount": 1, "ClientToken": "deploy-1",
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "adf:role", "Value": "canary"}]}],
    }
    first = ec2.run_instances(**request)["Instances"][0]
    again = ec2.run_instances(**request)["Instances"][0]
    assert first["InstanceId"] == again["InstanceId"]
    refused("IdempotentParameterMismatch", ec2.run_instances, **{**request, "MaxCount": 2})
    identifier = first["InstanceId"]
    ec2.get_waiter("instance_running").config.delay = 1
    ec2.get_waiter("instance_running").wait(InstanceIds=[identifier], WaiterConfig={"Delay": 1, "MaxAttempts": DEADLINE})
    found = ec2.describe_instances(Filters=[
        {"Name": "tag:adf:role", "Values": ["canary"]}, {"Name": "instance-state-name", "Values": ["running"]},
    ])["Reservations"][0]["Instances"][0]
    assert found["InstanceId"] == identifier
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert tags["adf:app"] == "web" and tags["aws:ec2launchtemplate:version"] == "2", tags
    assert found["MetadataOptions"]["HttpTokens"] == "required", found["MetadataOptions"]
    assert found["InstanceType"] == "t3.small" and found["PrivateIpAddress"].startswith("127."), found
    ec2.create_tags(Resources=[identifier], Tags=[{"Key": "note", "Value": "a & b <ü>"}])
    listed = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [identifier]}])["Tags"]
    assert {"Key": "note", "Value": "a & b <ü>", "ResourceId": identifier, "ResourceType": "instance"} in listed, listed
    ec2.delete_tags(Resources=[identifier], Tags=[{"Key": "note"}])
    assert "note" not in {tag["Key"] for tag in ec2.describe_tags(
        Filters=[{"Name": "resource-id", "Values": [identifier]}])["Tags"]}
    ec2.reboot_instances(InstanceIds=[identifier])
    ec2.get_console_output(InstanceId=identifier)
    status = ec2.describe_instance_status(InstanceIds=[identifier])["InstanceStatuses"][0]
    assert status["InstanceStatus"]["Status"] == "ok", status
    change = ec2.terminate_instances(InstanceIds=[identifier])["TerminatingInstances"][0]
    assert change["PreviousState"]["Name"] == "running" and change["CurrentState"]["Name"] == "shutting-down", change
    eventually("terminated", lambda: ec2.describe_instances(InstanceIds=[identifier])
               ["Reservations"][0]["Instances"][0]["State"]["Name"] == "terminated")
    refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=["i-00000000000000000"])


def target_group():
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [it["SubnetId"] for it in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]]
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert len(zones) == len(subnets) == 3
    made = elb.create_target_group(Name="web", Protocol="HTTP", Port=8080, VpcId=vpc, HealthCheckPath="/health",
                                   HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2)["TargetGroups"][0]
    arn = made["TargetGroupArn"]
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[
        {"Key": "deregistration_delay.timeout_seconds", "Value": "1"}])
    attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "1"} in attributes, attributes
    balancer = elb.create_load_balancer(Name="web", Subnets=subnets)["LoadBalancers"][0]
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80,
                        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}])
    listener = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"][0]
    assert listener["DefaultActions"][0]["TargetGroupArn"] == arn, listener
    refused("ResourceInUse", elb.delete_target_group, TargetGroupArn=arn)
    return arn, subnets


def scaled_group(template_id, target_group_arn, subnets):
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="web", MinSize=1, MaxSize=4, DesiredCapacity=2,
        LaunchTemplate={"LaunchTemplateId": template_id, "Version": "2"},
        VPCZoneIdentifier=",".join(subnets), TargetGroupARNs=[target_group_arn],
        Tags=[{"Key": "adf:capacity", "Value": "2", "PropagateAtLaunch": False}],
    )
    refused("AlreadyExists", autoscaling.create_auto_scaling_group, AutoScalingGroupName="web", MinSize=0, MaxSize=0,
            LaunchTemplate={"LaunchTemplateId": template_id}, VPCZoneIdentifier=subnets[0])
    in_service(2)
    zones = {it["AvailabilityZone"] for it in group()["Instances"]}
    assert len(zones) == 2, zones
    autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    in_service(3)
    message = refused("ValidationError", autoscaling.set_desired_capacity, AutoScalingGroupName="web", DesiredCapacity=9)
    assert "above max value 4" in message, message
    health = elb.describe_target_health(TargetGroupArn=target_group_arn)["TargetHealthDescriptions"]
    assert {it["TargetHealth"]["State"] for it in health} == {"initial"} and len(health) == 3, health
    tags = autoscaling.describe_tags(Filters=[{"Name": "auto-scaling-group", "Values": ["web"]}])["Tags"]
    assert tags[0]["Key"] == "adf:capacity" and tags[0]["PropagateAtLaunch"] is False, tags


def hook():
    """A launch waits for its hook, and an abandoned one is replaced."""
    autoscaling.put_lifecycle_hook(AutoScalingGroupName="web", LifecycleHookName="adf-launch", HeartbeatTimeout=60,
                                   LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING")
    described = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName="web")["LifecycleHooks"][0]
    assert described["DefaultResult"] == "ABANDON" and described["GlobalTimeout"] == 6000, described
    autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
    action = {"AutoScalingGroupName": "web", "LifecycleHookName": "adf-launch"}
    first = eventually("a launch that waits", lambda: members("Pending:Wait"))[0]
    autoscaling.record_lifecycle_action_heartbeat(**action, InstanceId=first)
    autoscaling.complete_lifecycle_action(**action, InstanceId=first, LifecycleActionResult="ABANDON")
    second = eventually("its replacement", lambda: [it for it in members("Pending:Wait") if it != first])[0]
    autoscaling.complete_lifecycle_action(**action, InstanceId=second, LifecycleActionResult="CONTINUE")
    assert second in in_service(4)
    message = refused("ValidationError", autoscaling.complete_lifecycle_action, **action, InstanceId=second,
                      LifecycleActionResult="CONTINUE")
    assert message == f"No active Lifecycle Action found with instance ID {second}", message
    autoscaling.delete_lifecycle_hook(**action)


def standby():
    old = sorted(members("InService"))[:2]
    answer = autoscaling.enter_standby(AutoScalingGroupName="web", InstanceIds=old, ShouldDecrementDesiredCapacity=True)
    assert len(answer["Activities"]) == 2, answer
    eventually("both in standby", lambda: sorted(members("Standby")) == old)
    assert group()["DesiredCapacity"] == 2 and len(members("InService")) == 2
    message = refused("ValidationError", autoscaling.enter_standby, AutoScalingGroupName="web",
                      InstanceIds=[old[0]], ShouldDecrementDesiredCapacity=True)
    assert message == f"The instance {old[0]} is not in InService.", message
    autoscaling.exit_standby(AutoScalingGroupName="web", InstanceIds=[old[0]])
    in_service(3)
    assert group()["DesiredCapacity"] == 3
    autoscaling.terminate_instance_in_auto_scaling_group(InstanceId=old[1], ShouldDecrementDesiredCapacity=False)
    eventually("the standby instance is gone", lambda: old[1] not in {it["InstanceId"] for it in group()["Instances"]})
    assert group()["DesiredCapacity"] == 3 and len(members("InService")) == 3


def refresh(template_id):
    """Every instance is replaced by the desired configuration, which the group then has as its own."""
    old = set(members("InService"))
    desired = {"LaunchTemplate": {"LaunchTemplateId": template_id, "Version": "1"}}
    begun = autoscaling.start_instance_refresh(
        AutoScalingGroupName="web", DesiredConfiguration=desired,
        Preferences={"MinHealthyPercentage": 0, "InstanceWarmup": 0, "ScaleInProtectedInstances": "Ignore",
                     "CheckpointPercentages": [50, 100], "CheckpointDelay": 1, "AlarmSpecification": {"Alarms": ["a", "b"]}},
    )["InstanceRefreshId"]
    refused("InstanceRefreshInProgress", autoscaling.start_instance_refresh, AutoScalingGroupName="web")
    refused("ValidationError", autoscaling.update_auto_scaling_group, AutoScalingGroupName="web",
            LaunchTemplate=desired["LaunchTemplate"])

    def latest():
        return autoscaling.describe_instance_refreshes(AutoScalingGroupName="web")["InstanceRefreshes"][0]

    shown = latest()
    assert shown["InstanceRefreshId"] == begun and shown["Status"] in ("Pending", "InProgress"), shown
    assert shown["DesiredConfiguration"]["LaunchTemplate"]["Version"] == "1", shown
    preferences = shown["Preferences"]
    assert preferences["CheckpointPercentages"] == [50, 100], preferences
    assert preferences["AlarmSpecification"] == {"Alarms": ["a", "b"]}, preferences
    done = eventually("the refresh", lambda: latest()["Status"] == "Successful" and latest())
    assert done["PercentageComplete"] == 100 and done["InstancesToUpdate"] == 0 and done["EndTime"], done
    assert not old & set(members("InService")) and group()["LaunchTemplate"]["Version"] == "1", group()
    for call in (autoscaling.cancel_instance_refresh, autoscaling.rollback_instance_refresh):
        refused("ActiveInstanceRefreshNotFound", call, AutoScalingGroupName="web")


def mixed(template_id):
    """A policy is kept and shown; a launch has its first type."""
    policy = {
        "LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateId": template_id, "Version": "2"},
                           "Overrides": [{"InstanceType": "m5.large"}, {"InstanceType": "m5a.large"}]},
        "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 50, "SpotAllocationStrategy": "price-capacity-optimized"},
    }
    autoscaling.update_auto_scaling_group(AutoScalingGroupName="web", MixedInstancesPolicy=policy)
    shown = group()["MixedInstancesPolicy"]
    assert [it["InstanceType"] for it in shown["LaunchTemplate"]["Overrides"]] == ["m5.large", "m5a.large"], shown
    assert shown["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] == 50, shown
    assert "LaunchTemplate" not in group()
    autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
    in_service(4)
    assert "m5.large" in {it["InstanceType"] for it in group()["Instances"]}


def shrink():
    autoscaling.set_instance_protection(AutoScalingGroupName="web", InstanceIds=members("InService")[:1],
                                        ProtectedFromScaleIn=True)
    protected = [it["InstanceId"] for it in group()["Instances"] if it["ProtectedFromScaleIn"]]
    autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    assert in_service(1) == protected
    activities = autoscaling.describe_scaling_activities(AutoScalingGroupName="web")["Activities"]
    assert activities[0]["Description"].startswith("Terminating EC2 instance: i-"), activities[0]
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    eventually("the group is gone", lambda: not autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"])


def pages():
    """boto3's own paginators, which fail on a token that goes in circles."""
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=7, MaxCount=7)
    running = ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}], PaginationConfig={"PageSize": 5})
    found = [it["InstanceId"] for page in running for it in (i for r in page["Reservations"] for i in r["Instances"])]
    assert len(found) == len(set(found)) == 7, found
    ec2.terminate_instances(InstanceIds=found)


def main():
    template_id = template()
    single_instance(template_id)
    arn, subnets = target_group()
    scaled_group(template_id, arn, subnets)
    hook()
    standby()
    refresh(template_id)
    mixed(template_id)
    shrink()
    pages()
    ec2.delete_launch_template(LaunchTemplateId=template_id)
    refused("InvalidAction", ec2.describe_volumes)
    print("drove every step")


if __name__ == "__main__":
    sys.exit(main())

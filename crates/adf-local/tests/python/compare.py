"""Makes the same calls to adf-local and to moto and compares the shape of the answers: the same keys, the same types, the same
error codes. Values are not compared: ids, times and states are each one's own.

Where the two may differ is listed in `known`, each with its reason; a difference that is not listed fails, and so does a line of the
list that no longer differs. Run by tests/foreign_clients.rs, which sets AWS_ENDPOINT_URL and the credentials.
"""

import os
import sys
import time

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

AWS_OMITS = "AWS leaves an empty set of tags out; moto writes it"
HTTP_ONLY = "AWS gives these for TLS listeners only; moto for all"
FORWARD = "AWS gives the order and the long form of a forward action too; moto only repeats the request"
INHERITS = "moto ignores SourceVersion; AWS inherits from it"
DUPLICATE = "moto allows a duplicate that AWS refuses"
MACHINE = "adf-local's instances are Linux, without volumes, without public addresses; moto's image is Windows with a volume"
NIC = "moto's interfaces have a public address and other optional fields; ours are private and carry a private name"
LOOPBACK = "an address on the loopback interface has no hardware address"
DEFAULT_GROUP = "AWS's default security group lets its own members in; moto's lets nobody in"
FEWER = "moto gives every load balancer, group and zone fewer fields than AWS does"
RUNNING = "moto gives a running instance a state reason; AWS only one that left that state"
MOTO_RUNS = "moto starts an unknown image; AWS refuses it"
ENDS_LATER = "an activity ends when it is done; moto's are done at once"
ACTIVITY = "AWS gives these fields of an activity; moto does not"
UNCHECKED = "nothing answers health checks here, so the targets are not healthy; moto's always are"
HOOK = "AWS omits what was not set; moto writes it empty"

LISTENERS = ("CreateListener", "DescribeListeners", "ModifyListener")
BALANCERS = ("CreateLoadBalancer", "DescribeLoadBalancers")
ACTIVITIES = ("EnterStandby", "ExitStandby", "DetachInstances")


def known():
    """(operation, path, kind of difference): why. A path covers everything below it."""
    ours, moto = "only adf-local", "only moto"
    yield from (((name, "LaunchTemplate.Tags", moto), AWS_OMITS) for name in ("CreateLaunchTemplate", "ModifyLaunchTemplate"))
    yield ("DescribeLaunchTemplates", "LaunchTemplates.Tags", moto), AWS_OMITS
    for name, path in (("DescribeVpcs", "Vpcs"), ("DescribeSubnets", "Subnets"), ("DescribeSecurityGroups", "SecurityGroups")):
        yield (name, f"{path}.Tags", moto), AWS_OMITS
    yield ("DescribeVpcs", "Vpcs.Ipv6CidrBlockAssociationSet", moto), AWS_OMITS
    yield ("DescribeSecurityGroups", "SecurityGroups.IpPermissions", ours), DEFAULT_GROUP
    for name, path in (("CreateLaunchTemplateVersion", "LaunchTemplateVersion"),
                       ("DescribeLaunchTemplateVersions", "LaunchTemplateVersions")):
        for field in ("ImageId", "UserData", "TagSpecifications"):
            yield (name, f"{path}.LaunchTemplateData.{field}", ours), INHERITS
    for name in LISTENERS:
        for field in ("AlpnPolicy", "SslPolicy"):
            yield (name, f"Listeners.{field}", moto), HTTP_ONLY
        for field in ("ForwardConfig", "Order"):
            yield (name, f"Listeners.DefaultActions.{field}", ours), FORWARD
    for name, path in (("CreateListener again", "Listeners"), ("CreateLoadBalancer again", "LoadBalancers")):
        yield (name, "Error", ours), DUPLICATE
        yield (name, path, moto), DUPLICATE
    for name in BALANCERS:
        yield (name, "LoadBalancers.AvailabilityZones.LoadBalancerAddresses", ours), FEWER
        yield (name, "LoadBalancers.SecurityGroups", ours), FEWER
    yield ("CreateLoadBalancer", "LoadBalancers.Scheme", ours), FEWER
    yield ("CreateTargetGroup", "TargetGroups.LoadBalancerArns", ours), FEWER
    yield ("DescribeAutoScalingGroups", "AutoScalingGroups.TrafficSources", ours), FEWER
    for field in ("GroupName", "NetworkBorderGroup", "OptInStatus"):
        yield ("DescribeAvailabilityZones", f"AvailabilityZones.{field}", ours), FEWER
    for name, path in (("RunInstances", "Instances"), ("DescribeInstances", "Reservations.Instances")):
        for field in ("BlockDeviceMappings", "Platform", "PublicIpAddress", "SriovNetSupport"):
            yield (name, f"{path}.{field}", moto), MACHINE
        for field in ("EnaSupport", "SecurityGroups", "HibernationOptions.Configured"):
            yield (name, f"{path}.{field}", ours), MACHINE
        yield (name, f"{path}.StateReason", moto), RUNNING
        yield (name, f"{path}.NetworkInterfaces.MacAddress", moto), LOOPBACK
        for field in ("Association", "PrivateIpAddresses.Association"):
            yield (name, f"{path}.NetworkInterfaces.{field}", moto), NIC
        yield (name, f"{path}.NetworkInterfaces.PrivateIpAddresses.PrivateDnsName", ours), NIC
    yield ("RunInstances no image", "Error", ours), MOTO_RUNS
    for field in ("Groups", "Instances", "OwnerId", "ReservationId"):
        yield ("RunInstances no image", field, moto), MOTO_RUNS
    for name in ACTIVITIES:
        yield (name, "Activities.EndTime", moto), ENDS_LATER
        for field in ("AutoScalingGroupARN", "Details"):
            yield (name, f"Activities.{field}", ours), ACTIVITY
    yield ("TerminateInstanceInAutoScalingGroup", "Activity.EndTime", moto), ENDS_LATER
    for field in ("AutoScalingGroupARN", "Details"):
        yield ("TerminateInstanceInAutoScalingGroup", f"Activity.{field}", ours), ACTIVITY
    yield ("DescribeScalingActivities", "Activities", ours), ACTIVITY
    for field in ("Description", "Reason"):
        yield ("DescribeTargetHealth", f"TargetHealthDescriptions.TargetHealth.{field}", ours), UNCHECKED
    for field in ("NotificationTargetARN", "RoleARN"):
        yield ("DescribeLifecycleHooks", f"LifecycleHooks.{field}", moto), HOOK


ALLOWED = dict(known())


class Cloud:
    """One of the two, with the answers it gave."""

    def __init__(self, endpoint):
        def client(service):
            return boto3.client(service, region_name="us-east-1", endpoint_url=endpoint)

        self.ec2, self.autoscaling, self.elb = client("ec2"), client("autoscaling"), client("elbv2")
        self.answers = {}

    def call(self, name, call, **parameters):
        """Makes a call, keeps its shape under `name`, and returns its answer."""
        try:
            answer = call(**parameters)
            answer.pop("ResponseMetadata", None)
            self.answers[name] = shape(answer)
            return answer
        except ClientError as error:
            self.answers[name] = {"Error": error.response["Error"]["Code"]}
            return None

    def group(self):
        return self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"][0]

    def settled(self, count):
        """The members once `count` are in service and nobody is on the way."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            members = self.group()["Instances"]
            serving = [it["InstanceId"] for it in members if it["LifecycleState"] == "InService"]
            if len(serving) == count and all(it["LifecycleState"] in ("InService", "Standby") for it in members):
                return sorted(serving)
            time.sleep(0.05)
        raise AssertionError(f"not {count} in service: {self.group()}")


def shape(value):
    """Keys and types; a list has the shape of all its items together."""
    if isinstance(value, dict):
        return {key: shape(held) for key, held in value.items()}
    if isinstance(value, list):
        merged = None
        for item in map(shape, value):
            merged = {**merged, **item} if isinstance(merged, dict) and isinstance(item, dict) else item
        return [] if merged is None else [merged]
    return type(value).__name__


def scenario(cloud):
    ec2, autoscaling, elb = cloud.ec2, cloud.autoscaling, cloud.elb
    image = ec2.describe_images(Owners=["self"] if cloud.is_adf else ["amazon"])["Images"][0]["ImageId"]
    vpc = cloud.call("DescribeVpcs", ec2.describe_vpcs)["Vpcs"][0]["VpcId"]
    subnets = cloud.call("DescribeSubnets", ec2.describe_subnets, Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    subnets = [it["SubnetId"] for it in subnets][:3]
    cloud.call("DescribeAvailabilityZones", ec2.describe_availability_zones)
    cloud.call("DescribeSecurityGroups", ec2.describe_security_groups, GroupNames=["default"])
    templates(cloud, image)
    instances(cloud, image, subnets[0])
    target_group = balancing(cloud, vpc, subnets)
    groups(cloud, subnets, target_group)


def templates(cloud, image):
    ec2 = cloud.ec2
    data = {
        "ImageId": image, "InstanceType": "t3.micro", "UserData": "QUJD",
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "app", "Value": "web"}]}],
    }
    cloud.call("CreateLaunchTemplate", ec2.create_launch_template, LaunchTemplateName="web", LaunchTemplateData=data)
    cloud.call("CreateLaunchTemplate again", ec2.create_launch_template, LaunchTemplateName="web", LaunchTemplateData=data)
    cloud.call("CreateLaunchTemplateVersion", ec2.create_launch_template_version, LaunchTemplateName="web",
               SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}, VersionDescription="v2")
    cloud.call("DescribeLaunchTemplates", ec2.describe_launch_templates, LaunchTemplateNames=["web"])
    cloud.call("DescribeLaunchTemplates unknown", ec2.describe_launch_templates, LaunchTemplateNames=["none"])
    cloud.call("DescribeLaunchTemplateVersions", ec2.describe_launch_template_versions, LaunchTemplateName="web")
    cloud.call("ModifyLaunchTemplate", ec2.modify_launch_template, LaunchTemplateName="web", DefaultVersion="2")


def instances(cloud, image, subnet):
    ec2 = cloud.ec2
    started = cloud.call("RunInstances", ec2.run_instances, ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1,
                         SubnetId=subnet, UserData="hello",
                         TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "app", "Value": "one"}]}])
    one = started["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[one], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    cloud.call("DescribeInstances", ec2.describe_instances, InstanceIds=[one])
    cloud.call("DescribeInstances unknown", ec2.describe_instances, InstanceIds=["i-00000000000000000"])
    cloud.call("DescribeInstanceStatus", ec2.describe_instance_status, InstanceIds=[one])
    cloud.call("CreateTags", ec2.create_tags, Resources=[one], Tags=[{"Key": "note", "Value": "x"}])
    cloud.call("DescribeTags", ec2.describe_tags, Filters=[{"Name": "resource-id", "Values": [one]}])
    cloud.call("DeleteTags", ec2.delete_tags, Resources=[one], Tags=[{"Key": "note"}])
    cloud.call("GetConsoleOutput", ec2.get_console_output, InstanceId=one)
    cloud.call("RebootInstances", ec2.reboot_instances, InstanceIds=[one])
    cloud.call("RunInstances no image", ec2.run_instances, ImageId="ami-00000000000000000", MinCount=1, MaxCount=1)
    cloud.call("TerminateInstances", ec2.terminate_instances, InstanceIds=[one])
    cloud.call("TerminateInstances unknown", ec2.terminate_instances, InstanceIds=["i-00000000000000000"])


def balancing(cloud, vpc, subnets):
    elb = cloud.elb
    made = cloud.call("CreateTargetGroup", elb.create_target_group, Name="web", Protocol="HTTP", Port=8080, VpcId=vpc,
                      HealthCheckPath="/health", Matcher={"HttpCode": "200"})
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    cloud.call("DescribeTargetGroups", elb.describe_target_groups, Names=["web"])
    cloud.call("DescribeTargetGroups unknown", elb.describe_target_groups, Names=["none"])
    cloud.call("ModifyTargetGroup", elb.modify_target_group, TargetGroupArn=arn, HealthCheckPath="/healthy")
    cloud.call("ModifyTargetGroupAttributes", elb.modify_target_group_attributes, TargetGroupArn=arn,
               Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}])
    cloud.call("DescribeTargetGroupAttributes", elb.describe_target_group_attributes, TargetGroupArn=arn)
    made = cloud.call("CreateLoadBalancer", elb.create_load_balancer, Name="web", Subnets=subnets)
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    cloud.call("CreateLoadBalancer again", elb.create_load_balancer, Name="web", Subnets=subnets[:2], Scheme="internal")
    cloud.call("DescribeLoadBalancers", elb.describe_load_balancers, Names=["web"])
    cloud.call("DescribeLoadBalancers unknown", elb.describe_load_balancers, Names=["none"])
    action = [{"Type": "forward", "TargetGroupArn": arn}]
    made = cloud.call("CreateListener", elb.create_listener, LoadBalancerArn=balancer, Protocol="HTTP", Port=80,
                      DefaultActions=action)
    listener = made["Listeners"][0]["ListenerArn"]
    cloud.call("CreateListener again", elb.create_listener, LoadBalancerArn=balancer, Protocol="HTTP", Port=80,
               DefaultActions=action)
    cloud.call("DescribeListeners", elb.describe_listeners, LoadBalancerArn=balancer)
    cloud.call("ModifyListener", elb.modify_listener, ListenerArn=listener, Port=81, DefaultActions=action)
    cloud.call("DeleteTargetGroup used", elb.delete_target_group, TargetGroupArn=arn)
    cloud.call("AddTags", elb.add_tags, ResourceArns=[arn], Tags=[{"Key": "app", "Value": "web"}])
    cloud.call("DescribeTags of a target group", elb.describe_tags, ResourceArns=[arn])
    return arn


def groups(cloud, subnets, target_group):
    autoscaling, elb = cloud.autoscaling, cloud.elb
    cloud.call("CreateAutoScalingGroup", autoscaling.create_auto_scaling_group, AutoScalingGroupName="web", MinSize=1,
               MaxSize=4, DesiredCapacity=2, LaunchTemplate={"LaunchTemplateName": "web", "Version": "2"},
               VPCZoneIdentifier=",".join(subnets), TargetGroupARNs=[target_group],
               Tags=[{"ResourceId": "web", "ResourceType": "auto-scaling-group", "Key": "app", "Value": "web",
                      "PropagateAtLaunch": True}])
    one = cloud.settled(2)[0]
    cloud.call("DescribeAutoScalingGroups", autoscaling.describe_auto_scaling_groups, AutoScalingGroupNames=["web"])
    cloud.call("DescribeAutoScalingInstances", autoscaling.describe_auto_scaling_instances, InstanceIds=[one])
    cloud.call("DescribeTargetHealth", elb.describe_target_health, TargetGroupArn=target_group)
    cloud.call("PutLifecycleHook", autoscaling.put_lifecycle_hook, AutoScalingGroupName="web", LifecycleHookName="end",
               LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING", HeartbeatTimeout=60)
    cloud.call("DescribeLifecycleHooks", autoscaling.describe_lifecycle_hooks, AutoScalingGroupName="web")
    cloud.call("DeleteLifecycleHook", autoscaling.delete_lifecycle_hook, AutoScalingGroupName="web", LifecycleHookName="end")
    cloud.call("DescribeTags of a group", autoscaling.describe_tags,
               Filters=[{"Name": "auto-scaling-group", "Values": ["web"]}])
    cloud.call("DescribeLoadBalancerTargetGroups", autoscaling.describe_load_balancer_target_groups,
               AutoScalingGroupName="web")
    cloud.call("SetInstanceProtection", autoscaling.set_instance_protection, AutoScalingGroupName="web",
               InstanceIds=[one], ProtectedFromScaleIn=True)
    cloud.call("SuspendProcesses", autoscaling.suspend_processes, AutoScalingGroupName="web",
               ScalingProcesses=["AZRebalance"])
    cloud.call("ResumeProcesses", autoscaling.resume_processes, AutoScalingGroupName="web")
    cloud.call("SetDesiredCapacity", autoscaling.set_desired_capacity, AutoScalingGroupName="web", DesiredCapacity=3)
    cloud.settled(3)
    cloud.call("EnterStandby", autoscaling.enter_standby, AutoScalingGroupName="web", InstanceIds=[one],
               ShouldDecrementDesiredCapacity=True)
    cloud.settled(2)
    cloud.call("ExitStandby", autoscaling.exit_standby, AutoScalingGroupName="web", InstanceIds=[one])
    other = [it for it in cloud.settled(3) if it != one][0]
    cloud.call("TerminateInstanceInAutoScalingGroup", autoscaling.terminate_instance_in_auto_scaling_group,
               InstanceId=other, ShouldDecrementDesiredCapacity=True)
    cloud.settled(2)
    cloud.call("DescribeScalingActivities", autoscaling.describe_scaling_activities, AutoScalingGroupName="web")
    cloud.call("DetachInstances", autoscaling.detach_instances, AutoScalingGroupName="web", InstanceIds=[one],
               ShouldDecrementDesiredCapacity=True)
    cloud.settled(1)
    cloud.call("AttachInstances", autoscaling.attach_instances, AutoScalingGroupName="web", InstanceIds=[one])
    cloud.settled(2)
    cloud.call("DeleteAutoScalingGroup", autoscaling.delete_auto_scaling_group, AutoScalingGroupName="web",
               ForceDelete=True)


def differences(path, ours, theirs):
    """(path, kind, detail) wherever two shapes differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            inner = f"{path}.{key}" if path else key
            if key not in theirs:
                yield inner, "only adf-local", ours[key]
            elif key not in ours:
                yield inner, "only moto", theirs[key]
            else:
                yield from differences(inner, ours[key], theirs[key])
    elif isinstance(ours, list) and isinstance(theirs, list):
        if ours and theirs:
            yield from differences(path, ours[0], theirs[0])
        elif ours != theirs:
            yield path, "only adf-local" if ours else "only moto", (ours or theirs)[0]
    elif ours != theirs:
        yield path, "differs", f"{ours} / {theirs}"


def allowed(operation, path, kind):
    """The line of ALLOWED that covers a difference."""
    for line in ALLOWED:
        name, prefix, of_kind = line
        if name == operation and of_kind == kind and (path == prefix or path.startswith(prefix + ".")):
            return line
    return None


def answers(endpoint):
    cloud = Cloud(endpoint)
    cloud.is_adf = endpoint is not None
    scenario(cloud)
    return cloud.answers


def main():
    ours = answers(os.environ.pop("AWS_ENDPOINT_URL"))
    with mock_aws():
        theirs = answers(None)
    used, unexpected = set(), []
    for operation in ours.keys() | theirs.keys():
        for path, kind, detail in differences("", ours.get(operation), theirs.get(operation)):
            line = allowed(operation, path, kind)
            if line:
                used.add(line)
            else:
                unexpected.append(f"{operation}: {path} {kind}: {detail}")
    for line in sorted(unexpected):
        print(line)
    for line in sorted(ALLOWED.keys() - used):
        print(f"allowed but no longer different: {line}")
    print(f"{len(ours)} calls compared, {len(used)} known differences, {len(unexpected)} unexpected")
    return 1 if unexpected or ALLOWED.keys() - used else 0


if __name__ == "__main__":
    sys.exit(main())

//! Listener rules that share requests between the fleet's target group and the canary's, by weight.

use aws_sdk_elasticloadbalancingv2::types::{Action, ForwardActionConfig, TargetGroupTuple};

use super::error::failed;
use super::{Aws, AwsError};

/// A rule that forwards to both target groups.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedRule {
    /// A listener's default rule is changed through its listener, whose ARN this is then.
    place: Place,
    pub fleet_weight: u32,
    pub canary_weight: u32,
    actions: Vec<Action>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Default(String),
    Rule(String),
}

impl SharedRule {
    pub fn arn(&self) -> &str {
        match &self.place {
            Place::Default(arn) | Place::Rule(arn) => arn,
        }
    }
}

impl Aws {
    /// All rules of the load balancer that forward to both. One call, and one for each listener.
    pub async fn shared_rules(
        &self,
        balancer_arn: &str,
        fleet_arn: &str,
        canary_arn: &str,
    ) -> Result<Vec<SharedRule>, AwsError> {
        let describe = self.elb.describe_listeners().load_balancer_arn(balancer_arn);
        let mut listeners = describe.into_paginator().items().send();
        let mut all = Vec::new();
        while let Some(listener) = listeners.next().await {
            let listener = listener.map_err(failed("DescribeListeners", balancer_arn))?;
            let Some(arn) = listener.listener_arn else { continue };
            let describe = self.elb.describe_rules().listener_arn(&arn);
            let mut rules = describe.into_paginator().items().send();
            while let Some(rule) = rules.next().await {
                let rule = rule.map_err(failed("DescribeRules", &arn))?;
                let place = match rule.rule_arn {
                    _ if rule.is_default == Some(true) => Place::Default(arn.clone()),
                    Some(rule_arn) => Place::Rule(rule_arn),
                    None => continue,
                };
                all.extend(shared(place, rule.actions.unwrap_or_default(), fleet_arn, canary_arn));
            }
        }
        Ok(all)
    }

    /// Gives the canary's target group this weight, and leaves everything else of the rule as it was read.
    pub async fn set_canary_weight(
        &self,
        rule: &SharedRule,
        canary_arn: &str,
        weight: u32,
    ) -> Result<(), AwsError> {
        let actions =
            rule.actions.iter().cloned().map(|action| weighted(action, canary_arn, weight)).collect();
        let what = format!("{} with weight {weight} of {canary_arn}", rule.arn());
        match &rule.place {
            Place::Default(arn) => {
                let modify = self.elb.modify_listener().listener_arn(arn).set_default_actions(Some(actions));
                modify.send().await.map_err(failed("ModifyListener", what))?;
            }
            Place::Rule(arn) => {
                let modify = self.elb.modify_rule().rule_arn(arn).set_actions(Some(actions));
                modify.send().await.map_err(failed("ModifyRule", what))?;
            }
        }
        Ok(())
    }
}

fn tuples(action: &Action) -> &[TargetGroupTuple] {
    action.forward_config().map(ForwardActionConfig::target_groups).unwrap_or_default()
}

fn shared(place: Place, actions: Vec<Action>, fleet_arn: &str, canary_arn: &str) -> Option<SharedRule> {
    let weight_of = |arn: &str| {
        let tuple = actions.iter().flat_map(tuples).find(|tuple| tuple.target_group_arn() == Some(arn))?;
        // Without a weight it is 1, "TargetGroupTuple" in the API reference.
        Some(tuple.weight().map_or(1, |weight| u32::try_from(weight).unwrap_or(0)))
    };
    let (fleet_weight, canary_weight) = (weight_of(fleet_arn)?, weight_of(canary_arn)?);
    Some(SharedRule { place, fleet_weight, canary_weight, actions })
}

fn weighted(mut action: Action, canary_arn: &str, weight: u32) -> Action {
    if let Some(config) = &mut action.forward_config {
        for tuple in config.target_groups.iter_mut().flatten() {
            if tuple.target_group_arn.as_deref() == Some(canary_arn) {
                tuple.weight = i32::try_from(weight).ok();
            }
        }
    }
    // AWS shows no secret, and takes the action without one only when told to keep it.
    if let Some(oidc) = &mut action.authenticate_oidc_config {
        oidc.use_existing_client_secret = Some(true);
    }
    action
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::{ActionTypeEnum, AuthenticateOidcActionConfig};

    use super::*;

    fn forward(weights: &[(&str, Option<i32>)]) -> Action {
        let tuple = |(arn, weight): &(&str, Option<i32>)| {
            TargetGroupTuple::builder().target_group_arn(*arn).set_weight(*weight).build()
        };
        let config = ForwardActionConfig::builder()
            .set_target_groups(Some(weights.iter().map(tuple).collect()))
            .build();
        Action::builder().r#type(ActionTypeEnum::Forward).forward_config(config).build()
    }

    fn login() -> Action {
        let oidc = AuthenticateOidcActionConfig::builder().client_id("web").build();
        Action::builder().r#type(ActionTypeEnum::AuthenticateOidc).authenticate_oidc_config(oidc).build()
    }

    fn rule(actions: Vec<Action>) -> Option<SharedRule> {
        shared(Place::Rule("rule".to_owned()), actions, "fleet", "canary")
    }

    #[test]
    fn only_a_rule_with_both_target_groups_is_shared() {
        let both = rule(vec![login(), forward(&[("fleet", Some(100)), ("canary", Some(0))])]);
        let both = both.expect("both");
        assert_eq!((both.fleet_weight, both.canary_weight), (100, 0));
        assert_eq!(rule(vec![forward(&[("fleet", None), ("canary", None)])]).expect("both").canary_weight, 1);
        assert_eq!(rule(vec![forward(&[("fleet", Some(1))])]), None);
        assert_eq!(rule(vec![forward(&[("fleet", Some(1)), ("other", Some(1))])]), None);
    }

    #[test]
    fn a_weight_is_changed_and_nothing_else() {
        let before = forward(&[("fleet", Some(100)), ("canary", Some(0)), ("other", Some(7))]);
        let after = forward(&[("fleet", Some(100)), ("canary", Some(11)), ("other", Some(7))]);
        assert_eq!(weighted(before, "canary", 11), after);
    }

    #[test]
    fn a_login_keeps_the_secret_that_aws_does_not_show() {
        let login = weighted(login(), "canary", 11);
        let config = login.authenticate_oidc_config().expect("a login");
        assert_eq!((config.use_existing_client_secret(), config.client_secret()), (Some(true), None));
    }
}
